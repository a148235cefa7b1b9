"""Why a request failed, and whether another try may help."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import requests
import urllib3.exceptions

from dbpull.errors.download import (
    DownloadFailed,
    HostBusy,
    NoConnection,
    NotTrusted,
    UnusableResponse,
)


class Retryable(Exception):
    """A failure that may pass. `why` is the sentence's end after the host's name.

    `retry_after` are the seconds of the host's Retry-After; `status` is the HTTP status
    where the host has answered.
    """

    def __init__(
        self, host: str, why: str, *, status: int = 0, retry_after: float = 0.0
    ) -> None:
        super().__init__(why)
        self.host = host
        self.why = why
        self.status = status
        self.retry_after = retry_after

    def error(self, kept: int) -> DownloadFailed:
        """Return the error to give up with; `kept` bytes are kept for the next run."""
        if self.status:
            return HostBusy(self.host, self.status, kept)
        return NoConnection(self.host, self.why, kept)


def classify(error: BaseException, host: str) -> Retryable | DownloadFailed:
    """Turn an error of requests, urllib3 or the socket into one of ours.

    Their own texts are left out: they hold the URL.
    """
    causes = tuple(_causes(error))
    if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes):
        return NotTrusted(host)
    if type(error) is OSError:  # requests: REQUESTS_CA_BUNDLE names no file
        return NotTrusted(host)
    if isinstance(error, requests.TooManyRedirects):
        return UnusableResponse(host, "redirects for ever")
    if isinstance(error, ValueError):  # requests.InvalidURL and its like
        return UnusableResponse(host, "has a URL that can't be fetched")
    known = (why for types, why in _WHY if any(isinstance(c, types) for c in causes))
    return Retryable(host, next(known, "the connection was lost"))


# The first match counts, so the proxy's errors come first; and urllib3 counts each
# failure to connect among the timeouts.
_WHY: list[tuple[tuple[type[BaseException], ...], str]] = [
    ((requests.exceptions.ProxyError, urllib3.exceptions.ProxyError),
     "the proxy that the environment names (HTTPS_PROXY) can't be used"),
    ((socket.gaierror, urllib3.exceptions.NameResolutionError),
     "no such host is known (DNS)"),
    ((ConnectionRefusedError,), "it refuses the connection"),
    ((requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError),
     "it does not answer"),
    ((requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError, TimeoutError),
     "it went silent"),
    ((ssl.SSLError,), "the TLS connection was lost"),
]  # fmt: skip


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all errors that are wrapped in it, outermost first."""
    todo, seen = [error], set[int]()
    while todo:
        cause = todo.pop(0)
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        wrapped = [getattr(cause, "reason", None), *cause.args]
        wrapped += [cause.__cause__, cause.__context__]
        todo += [inner for inner in wrapped if isinstance(inner, BaseException)]
