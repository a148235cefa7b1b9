"""HTTP connections to Heroku, and why one failed; only this module uses requests."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator

import requests
import urllib3.exceptions
from requests.auth import AuthBase

from dbpull import __version__
from dbpull.errors.heroku import Reason
from dbpull.heroku.credentials import Token

_PIECE = 64 * 1024  # bytes
_DROPPED = (
    requests.exceptions.ConnectionError,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.ProtocolError,
    ssl.SSLError,
)
_SILENT = (
    requests.exceptions.ReadTimeout,
    urllib3.exceptions.ReadTimeoutError,
    TimeoutError,
)
_ACCEPT = "application/vnd.heroku+json; version=3"


class _Bearer(AuthBase):
    """The token as an auth object: with one, requests leaves ~/.netrc alone."""

    def __init__(self, token: Token) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.value}"
        return request


class _ApiSession(requests.Session):
    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Drop the token on a redirect to another host, and add none from ~/.netrc."""
        old, new = str(response.request.url), str(prepared_request.url)
        if self.should_strip_auth(old, new):  # type: ignore[no-untyped-call]
            prepared_request.headers.pop("Authorization", None)


def session(token: Token) -> requests.Session:
    """A session that sends the token to Heroku, and to nobody else."""
    made = _ApiSession()
    made.auth = _Bearer(token)
    made.max_redirects = 10
    made.headers.update({"Accept": _ACCEPT, "User-Agent": f"dbpull/{__version__}"})
    return made


def classify(error: BaseException) -> Reason:
    """Why no answer came, by the exception and the exceptions that it wraps."""
    wrapped = list(_unwrapped(error))

    def any_is(*kinds: type[BaseException]) -> bool:
        return any(isinstance(each, kinds) for each in wrapped)

    if any_is(requests.exceptions.ProxyError, requests.exceptions.InvalidProxyURL):
        return "proxy"
    # requests raises a bare OSError where REQUESTS_CA_BUNDLE names no file.
    if any_is(ssl.SSLCertVerificationError) or type(error) is OSError:
        return "tls"
    if any_is(requests.exceptions.ConnectTimeout):
        return "connect"
    if any_is(*_SILENT):
        return "silent"
    if any_is(socket.gaierror):
        return "dns"
    if any_is(ConnectionRefusedError):
        return "refused"
    # Other TLS errors may come after the request was sent.
    return "dropped" if any_is(*_DROPPED) else "other"


def body_of(
    response: requests.Response, clock: Callable[[], float], end: float, most: int
) -> bytes | None:
    """An answer's body, decoded; None where it has more than `most` bytes.

    Raises TimeoutError when the clock has passed `end`: requests' own timeout counts
    only between two bytes.
    """
    body = bytearray()
    # read1 returns the bytes at hand; read would wait for a whole piece.
    while piece := response.raw.read1(_PIECE, decode_content=True):
        body += piece
        if len(body) > most:
            return None
        if clock() > end:
            raise TimeoutError
    return bytes(body)


def _unwrapped(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that it wraps (requests, urllib3, socket)."""
    seen: list[BaseException] = [error]
    for one in seen:
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None))
        for other in (*inner, *one.args):
            if isinstance(other, BaseException) and other not in seen:
                seen.append(other)
        yield one
