"""HTTP connections to a provider, which alone gets the token; bodies have a limit."""

from __future__ import annotations

from collections.abc import Callable

import requests
from requests.auth import AuthBase

from dbpull import __version__

_PIECE = 64 * 1024  # bytes


class _Bearer(AuthBase):
    """The token as an auth object, with which requests leaves ~/.netrc alone."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class _ApiSession(requests.Session):
    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Drop the token on a redirect to another host, and add none from ~/.netrc."""
        old, new = str(response.request.url), str(prepared_request.url)
        if self.should_strip_auth(old, new):  # type: ignore[no-untyped-call]
            prepared_request.headers.pop("Authorization", None)


def session(token: str, accept: str = "application/json") -> requests.Session:
    """A session that sends the token to the provider alone."""
    made = _ApiSession()
    made.auth = _Bearer(token)
    made.max_redirects = 10
    made.headers.update({"Accept": accept, "User-Agent": f"dbpull/{__version__}"})
    return made


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
