"""The faults of a request: temporary, or lasting, or a reason to start over."""

from __future__ import annotations

import requests

from dbpull.errors.download import (
    DownloadFailed,
    HostBusy,
    NoConnection,
    NothingThere,
    NotTrusted,
    UnusableResponse,
)
from dbpull.errors.network import Reason
from dbpull.network import reason_of


class Retryable(Exception):
    """A temporary failure. `why` is the sentence's end after the host's name.

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


class StartOver(Exception):
    """A failure after which no received byte can be kept."""

    def __init__(self, host: str) -> None:
        super().__init__(host)
        self.host = host


class Changed(StartOver):
    """The host now has another object than at the download's start."""


class Cut(StartOver):
    """The connection to a host without ranges was lost."""


def refusal(status: int, host: str, later: float = 0.0) -> Retryable | DownloadFailed:
    """The error of an answer's status; `later` are the seconds of its Retry-After."""
    if status in {408, 429} or status >= 500:
        why = f"it answers {status}"
        return Retryable(host, why, status=status, retry_after=later)
    if status in {404, 410}:
        return NothingThere(host, f"the dump is not there ({status})")
    return UnusableResponse(host, f"answered {status}")


def classify(error: BaseException, host: str) -> Retryable | DownloadFailed:
    """Turn an error of requests, urllib3 or the socket into one of ours.

    The error's own text is left out: it holds the URL.
    """
    reason = reason_of(error)
    if reason == "tls":
        return NotTrusted(host)
    if isinstance(error, requests.TooManyRedirects):
        return UnusableResponse(host, "redirects for ever")
    if isinstance(error, ValueError):  # requests.InvalidURL and its like
        return UnusableResponse(host, "has a URL that can't be fetched")
    return Retryable(host, _WHY.get(reason, "the connection was lost"))


_WHY: dict[Reason, str] = {
    "proxy": "the proxy that the environment names (HTTPS_PROXY) can't be used",
    "dns": "no such host is known (DNS)",
    "refused": "it refuses the connection",
    "connect": "it does not answer",
    "silent": "it went silent",
    "tls lost": "the TLS connection was lost",
}
