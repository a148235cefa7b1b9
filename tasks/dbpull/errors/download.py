"""Errors about a download: its connection, its host, its file.

::

    DownloadFailed
    ├── NoConnection        no connection: no such name, refused, silent, cut, proxy
    ├── NotTrusted          its TLS certificate
    ├── HostBusy            429 and 5xx until our patience ended
    ├── UrlRefused          400, 401 or 403, with fresh URLs too
    ├── NothingThere        404, 410, or an object of no bytes
    ├── UnusableResponse    any other status, a wrong range, more bytes than announced
    ├── ObjectChanged       another object than at the download's start
    ├── CannotDownload      a host's curl can't, for a reason of its own
    ├── DownloadStopped     the download was stopped before its end
    ├── AlreadyRunning      another process downloads the same dump
    └── CannotStore         the disk: full, too small, not writable, failing

Messages name a host, never a URL: a presigned URL is a password.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

from dbpull.errors import PullError
from dbpull.naming import setting
from dbpull.words import size

RESUMES = "What has arrived is kept: the same command resumes."


class DownloadFailed(PullError):
    """Base: the dump has not arrived."""


class NoConnection(DownloadFailed):
    """No connection, or no lasting one. `why` is the rest of the sentence."""

    def __init__(self, host: str, why: str, kept: int = 0) -> None:
        remedy = "Check the network (VPN, proxy) and run the same command again."
        super().__init__(f"{host}: {why}.", RESUMES if kept else remedy)


class NotTrusted(DownloadFailed):
    """This machine trusts no signer of the host's certificate."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host}: its TLS certificate is not trusted here.",
            "Behind an intercepting proxy, set REQUESTS_CA_BUNDLE to a file with the "
            "proxy's certificate.",
        )


class HostBusy(DownloadFailed):
    """The host answered 429 or 5xx until patience ended."""

    def __init__(self, host: str, status: int, kept: int = 0) -> None:
        self.status = status
        later = "Run the same command again in a few minutes."
        super().__init__(
            f"{host} keeps answering {status}.",
            f"{RESUMES if kept else ''} {later}".strip(),
        )


class UrlRefused(DownloadFailed):
    """The host refuses fresh URLs, too; `code` is S3's error code."""

    def __init__(self, host: str, status: int, code: str = "") -> None:
        self.status = status
        said = f"{status} ({code})" if code else str(status)
        super().__init__(
            f"{host} refused the download with {said}, with a fresh URL too.",
            "Check this machine's clock, then run the same command again.",
        )


class NothingThere(DownloadFailed):
    """The object is gone, or has no bytes."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(
            f"{host}: {why}.", "Take another backup, or capture a new one."
        )


class UnusableResponse(DownloadFailed):
    """An answer unfit for a download. `why` is the rest of the sentence."""

    def __init__(self, host: str, why: str) -> None:
        super().__init__(
            f"{host} {why}.",
            "Run the same command again; a proxy in between may be why.",
        )


class ObjectChanged(DownloadFailed):
    """The host now has another object than at the download's start."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host}: the dump changed there while it was downloaded.",
            "Run the same command again.",
        )


class CannotDownload(DownloadFailed):
    """A host's curl can't download the dump; `why` is the rest of the sentence."""

    def __init__(self, where: str, why: str, kept: int = 0) -> None:
        remedy = (
            "Where the host can't reach the internet, pass --upload: the dump is then"
            " fetched here and sent."
        )
        super().__init__(f"{where}: {why}.", RESUMES if kept else remedy)


class DownloadStopped(DownloadFailed):
    """The download was stopped: raised in every thread that still waits for bytes."""

    def __init__(self, part: Path | str) -> None:
        super().__init__(f"The download to {part} was stopped.", RESUMES)


class AlreadyRunning(DownloadFailed):
    """Another process holds the lock on the part file; `pid` where it is known."""

    def __init__(self, part: Path, pid: int | None) -> None:
        self.pid = pid
        who = f"process {pid}" if pid else "another process"
        super().__init__(
            f"{part} is being downloaded by {who}.", "Wait until it is done, or end it."
        )


class CannotStore(DownloadFailed):
    """The disk does not take the dump."""

    def __init__(
        self, path: Path, why: str, remedy: str, error: OSError | None = None
    ) -> None:
        self.path = path
        self.error = error
        super().__init__(f"{path}: {why}.", remedy)

    @classmethod
    def no_room(cls, path: Path, needed: int, free: int) -> CannotStore:
        """The disk has less room (`free` bytes) than the rest of the dump needs."""
        why = f"{size(needed)} are needed there and {size(free)} are free"
        remedy = f"Make room, or set {setting('path')} to a folder that has it."
        return cls(path, why, remedy)

    @classmethod
    def failed(cls, path: Path, error: OSError, *, resumes: bool = True) -> CannotStore:
        """The operating system refused to read or write; a later run `resumes`."""
        room = f"Make room and run the same command again. {RESUMES * resumes}".strip()
        elsewhere = f"{setting('path')} elsewhere."
        worded = {
            errno.ENOSPC: ("the disk is full", room),
            errno.EDQUOT: ("your disk quota is used up", room),
            errno.EFBIG: ("files can't be that large there", f"Set {elsewhere}"),
            errno.EIO: ("the disk fails (input/output error)", f"Set {elsewhere}"),
        }
        said = os.strerror(error.errno).lower() if error.errno else "it can't be used"
        other = said, f"Check the folder's permissions, or set {elsewhere}"
        return cls(path, *worded.get(error.errno or 0, other), error)

    def without_promise(self) -> CannotStore:
        """This error for a run that can't resume: its bytes are lost."""
        if not self.error:
            return self
        return CannotStore.failed(self.path, self.error, resumes=False)
