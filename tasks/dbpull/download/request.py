"""A ranged GET: the request, and the meaning of its answer.

Heroku's public URLs are presigned URLs of S3, which allow Range and If-Range, refuse
HEAD and Authorization, and answer 403 when expired (docs.aws.amazon.com/AmazonS3). No
error raised here holds a URL, in its text or as its cause.
"""

from __future__ import annotations

import logging
import re
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_auth_from_url
from urllib3.exceptions import HTTPError

from dbpull.download.answer import Answer
from dbpull.download.fault import Changed, classify, refusal
from dbpull.download.journal import Identity
from dbpull.download.presigned_url import PresignedUrl, Signed
from dbpull.download.sockets import ShuttableAdapter
from dbpull.errors.download import NothingThere, UnusableResponse
from dbpull.network import retry_after

TIMEOUTS = (10.0, 30.0)  # seconds: to connect; without a byte
LONGEST_EXPLANATION = 2048  # bytes of an error's body
CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class Expired(Exception):
    """The host refuses the URL; a fresh URL may work. `code` is S3's error code."""

    def __init__(self, signed: Signed, host: str, status: int, code: str) -> None:
        super().__init__(status)
        self.signed = signed
        self.host = host
        self.status = status
        self.code = code


class _NoCredentials(AuthBase):
    """Keeps requests from sending credentials of ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _DownloadSession(requests.Session):
    def rebuild_auth(
        self, prepared_request: requests.PreparedRequest, response: requests.Response
    ) -> None:
        """Send the URL's credentials to no other host after a redirect."""
        before, after = response.request.url or "", prepared_request.url or ""
        if self.should_strip_auth(before, after):  # type: ignore[no-untyped-call]
            prepared_request.headers.pop("Authorization", None)

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Return a redirect's URL. Raises UnusableResponse where it ends TLS."""
        target = super().get_redirect_target(resp)
        if target and resp.url.startswith("https:"):
            scheme = urlsplit(urljoin(resp.url, target)).scheme
            if scheme != "https":
                resp.close()
                raise UnusableResponse(
                    _host(resp.url), "redirects to a URL without TLS"
                )
        return target


class _NoQueries(logging.Filter):
    """Removes the query, which holds the signature, from urllib3's debug lines."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                arg.partition("?")[0] if isinstance(arg, str) else arg
                for arg in record.args
            )
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_NoQueries())


class HttpConnection:
    """A thread's connection to the host; other threads may call `shut` alone."""

    def __init__(self, url: PresignedUrl) -> None:
        self._url = url
        self._adapter = ShuttableAdapter()
        self._session = _DownloadSession()
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)

    def get(self, first: int, last: int, known: Identity | None) -> Answer:
        """Request the bytes from `first` to `last` (included) of the known object.

        Raises Retryable, Expired, Changed, or a DownloadFailed.
        """
        signed = self._url.current()
        headers = {"Range": f"bytes={first}-{last}"}
        if known and known.strong and known.etag:
            headers["If-Range"] = known.etag
        response = self._response(signed, headers)
        try:
            return _judged(response, signed, (first, last), known)
        except BaseException:
            response.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def shut(self) -> None:
        """End the request under way, from any thread."""
        self._adapter.shut()

    def _response(self, signed: Signed, headers: dict[str, str]) -> requests.Response:
        try:
            return self._session.get(
                signed.url,
                headers=headers,
                auth=_credentials(signed.url),
                stream=True,
                timeout=TIMEOUTS,
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            problem = classify(error, _host_of_error(error) or _host(signed.url))
        # Outside the except: requests' own errors hold the URL.
        raise problem


def _credentials(url: str) -> AuthBase:
    """The credentials in a URL (`user:password@`), else none."""
    user, password = get_auth_from_url(url)
    return HTTPBasicAuth(user, password) if user else _NoCredentials()


def _judged(
    response: requests.Response,
    signed: Signed,
    asked: tuple[int, int],
    known: Identity | None,
) -> Answer:
    """Judge an answer by its status: return the answer, or raise its error."""
    host, status = _host(response.url), response.status_code
    if status == 206:
        return _part(response, host, asked, known)
    if status == 200:
        if known:
            raise Changed(host)
        return _whole(response, host)
    if status in {412, 416} and known:
        raise Changed(host)
    if status in {400, 401, 403}:
        raise Expired(signed, host, status, _s3_code(response))
    if status == 416 and response.headers.get("Content-Range") == "bytes */0":
        raise NothingThere(host, "the dump there is empty")
    raise refusal(status, host, retry_after(response.headers))


def _part(
    response: requests.Response,
    host: str,
    asked: tuple[int, int],
    known: Identity | None,
) -> Answer:
    said = response.headers.get("Content-Range", "")
    match = CONTENT_RANGE.fullmatch(said.strip())
    if not match:
        raise UnusableResponse(host, "answered with a range it does not name")
    first, last, size = map(int, match.groups())
    identity = Identity(size, response.headers.get("ETag"))
    if known and not _same(known, identity):
        raise Changed(host)
    length = last - first + 1
    if first != asked[0] or not asked[0] <= last <= min(asked[1], size - 1):
        raise UnusableResponse(
            host, "answered with another range than the one asked for"
        )
    if response.headers.get("Content-Length", str(length)) != str(length):
        raise UnusableResponse(host, "announced another length than its range has")
    return Answer(response, host, identity, length, ranged=True)


def _whole(response: requests.Response, host: str) -> Answer:
    said = response.headers.get("Content-Length", "")
    length = int(said) if said.isdecimal() else None
    if length == 0:
        raise NothingThere(host, "the dump there is empty")
    identity = Identity(length, response.headers.get("ETag"))
    return Answer(response, host, identity, length, ranged=False)


def _same(known: Identity, now: Identity) -> bool:
    return known.size == now.size and (now.etag or known.etag) == (
        known.etag or now.etag
    )


def _s3_code(response: requests.Response) -> str:
    """Return S3's code of an error, from the start of its XML body."""
    try:
        body = response.raw.read(LONGEST_EXPLANATION, decode_content=False)
    except (HTTPError, OSError, ValueError):
        return ""
    found = re.search(rb"<Code>(\w{1,40})</Code>", body or b"")
    return found[1].decode("ascii", "replace") if found else ""


def _host(url: str) -> str:
    """Return a URL's host and port; the rest is secret."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    return f"{host}:{port}" if host and port else host or "The download host"


def _host_of_error(error: Exception) -> str:
    """Return the host that failed, after a redirect another than the URL's."""
    request = getattr(error, "request", None)
    url = getattr(request, "url", None)
    return _host(url) if isinstance(url, str) else ""
