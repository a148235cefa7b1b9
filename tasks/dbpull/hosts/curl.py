"""The download of a dump by the host itself, with curl.

The URL goes to curl's stdin alone: into no argument, no environment, no file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from dbpull.download.backoff import Backoff
from dbpull.download.fault import Retryable, refusal
from dbpull.errors.download import (
    CannotDownload,
    DownloadFailed,
    NotTrusted,
    ObjectChanged,
    UnusableResponse,
    UrlRefused,
)
from dbpull.errors.hosts import HostRefused, MissingCurl
from dbpull.hosts.host import Host
from dbpull.hosts.transfer import HostTransfer
from dbpull.shell import Result
from dbpull.signals import SIGNALS

PATIENCE = 120.0  # seconds without progress
# curl's exit codes of failures that may pass: no host, no connection, cut, silent, TLS,
# HTTP/2
_PASSING = {5, 6, 7, 16, 18, 28, 35, 52, 55, 56, 92, 95, 96}
_RANGE = re.compile(r"bytes \d+-\d+/(\d+)")
Url = Callable[[], str]
T = TypeVar("T")


class _Forbidden(Exception):
    """The download host refuses the URL; a fresh URL may work."""


class _Unreached(Retryable):
    """curl gets no connection, or loses it."""

    def error(self, kept: int) -> DownloadFailed:
        return CannotDownload(self.host, self.why, kept)


class Curl:
    """Downloads the object of `url()` on the host; each call gives a fresh URL."""

    def __init__(self, shell: Host, url: Url, notice: Callable[[str], None]) -> None:
        """Learn size and ETag by a ranged request for the first bytes, from the host.

        Raises MissingCurl and DownloadFailed.
        """
        if not shell.has_curl:
            raise MissingCurl(shell.where)
        self._shell = shell
        self._fresh = url
        self._url = url()
        self._patience = Backoff(PATIENCE, notice)
        self._tries = 0
        self.first = b""
        """The object's first 512 bytes; empty where the host lacks `od`."""
        self.total, self._etag = self._persist(self._look, SIGNALS.pause)
        self.identity = re.sub(r"\s", "", self._etag)

    def bring(self, transfer: HostTransfer) -> None:
        """Download the missing bytes, over as many connections as it takes.

        Raises DownloadFailed, RemoteError.
        """
        while transfer.have < self.total:
            self._persist(lambda: self._get(transfer), transfer.pause)

    def _persist(self, attempt: Callable[[], T], pause: Callable[[float], None]) -> T:
        """Try until the attempt succeeds, with fresh URLs, or Backoff gives up."""
        refused = 0
        while True:
            try:
                return attempt()
            except _Forbidden as expired:
                refused += 1
                if refused > 2:
                    raise UrlRefused(self._where, *expired.args) from None
                self._url = self._fresh()
            except Retryable as fault:
                self._tries += 1
                pause(self._patience.pause(fault, self._tries, 0))

    @property
    def _where(self) -> str:
        """Host and download host, for messages: the URL's host is no secret."""
        return f"{self._shell.where}, asking {urlsplit(self._url).hostname}"

    def _look(self) -> tuple[int, str]:
        result = self._shell.verb("look", stdin=self._config())
        self._judge(result)
        answer, _, digits = result.out.partition("first bytes\n")
        self.first = bytes.fromhex(digits)
        head = _head(answer)
        if not head:
            raise UnusableResponse(self._where, "is not served in ranges")
        return head

    def _get(self, transfer: HostTransfer) -> None:
        before = transfer.have
        result = self._shell.verb(
            "get",
            transfer.part,
            str(before),
            stdin=self._config(same=True),
            on_err=lambda line: self._heard(line, transfer),
        )
        if transfer.have > before:
            self._tries = 0
            self._patience.progress()
        # If-Match holds for strong ETags alone; a changed object's part is of no use.
        head = _head(result.out)
        if head and (head[0], head[1] or self._etag) != (self.total, self._etag):
            raise ObjectChanged(self._where)
        self._judge(result)

    def _heard(self, line: str, transfer: HostTransfer) -> None:
        word, _, number = line.partition(" ")
        if word == "at" and number.isdecimal():
            if int(number) > transfer.have:
                self._patience.byte()
            transfer.received(min(int(number), self.total))

    def _config(self, *, same: bool = False) -> str:
        """curl's configuration, for its stdin (its manual, --config)."""
        lines = [f"url = {_quoted(self._url)}"]
        if same and self._etag and not self._etag.startswith("W/"):
            lines.append(f"header = {_quoted(f'If-Match: {self._etag}')}")
        if self._url.startswith("https:"):
            lines.append('proto-redir = "=https"')
        return "\n".join(lines) + "\n"

    def _judge(self, result: Result) -> None:
        """Raise the error that curl's exit code and the answer's status mean."""
        if result.ok:
            return
        where, status = self._where, _status(result.out)
        if result.code == 22 or status >= 400:
            raise _refusal(where, status)
        if result.code in _PASSING:
            raise _Unreached(where, _said(result.err))
        if result.code in {60, 77}:
            raise NotTrusted(where)
        if result.code == 33:
            raise UnusableResponse(where, "does not serve ranges")
        if result.code == 23:
            raise HostRefused(self._shell.where, "Storing the dump", _said(result.err))
        raise CannotDownload(where, _said(result.err))


def _refusal(where: str, status: int) -> Exception:
    if status in {400, 401, 403}:
        return _Forbidden(status)
    if status in {412, 416}:
        return ObjectChanged(where)
    return refusal(status, where)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _status(out: str) -> int:
    first = out.partition("\n")[0].strip()
    return int(first) if first.isdecimal() else 0


def _fields(out: str) -> dict[str, str]:
    """The header fields of the last answer: proxies and redirects come before it."""
    last = out.replace("\r\n", "\n").rpartition("HTTP/")[2]
    lines = (line.partition(":") for line in last.splitlines()[1:])
    return {name.lower(): value.strip() for name, _, value in lines}


def _head(out: str) -> tuple[int, str] | None:
    """The object's size and ETag in the last answer; None for one without a range."""
    fields = _fields(out)
    found = _RANGE.fullmatch(fields.get("content-range", ""))
    return (int(found[1]), fields.get("etag", "")) if found else None


def _said(err: str) -> str:
    """curl's own error text, without URLs."""
    lines = [line for line in err.splitlines() if line.startswith("curl: ")]
    text = re.sub(r"^curl: (\(\d+\) )?", "", lines[-1] if lines else "")
    text = re.sub(r"\S*://\S*", "a URL", text).rstrip(".")
    return text or "curl ended without a message"
