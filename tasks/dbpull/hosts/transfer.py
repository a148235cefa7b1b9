"""The transfer of a dump to a host: the bytes on the host, and the dump's completion.

`<dump>.part` grows at its end only, so that a program can read it meanwhile. Its
journal names the object; a link beside it locks the part against other runs.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dbpull.download.chunks import Progress
from dbpull.download.part import MARGIN
from dbpull.errors.download import DownloadStopped
from dbpull.errors.hosts import HostRefused, RemoteError
from dbpull.hosts.host import Host
from dbpull.hosts.remote_head import RemoteHead
from dbpull.naming import setting
from dbpull.signals import PAUSE, SIGNALS
from dbpull.words import size

IN_USE = 9
"""The exit code of dumps.sh's `begin` where another run has locked the part."""


class HostTransport(Protocol):
    """A transport of a dump to a host: curl on the host, or SFTP from this machine."""

    identity: str
    """Tells this dump from another of the same name; never holds a blank. Empty where
    nothing tells them apart: an earlier part is then not continued."""
    total: int
    """The dump's bytes."""

    def bring(self, transfer: HostTransfer) -> None:
        """Append to the part until the dump's last byte."""


@dataclass
class HostTransfer:
    """The transfer of a dump to a host, by a thread; a context manager.

    The part stays for the next run when the context is left. The thread calls
    `progress(done, total)`, in bytes.
    """

    shell: Host
    path: str
    """The dump's final path."""
    transport: HostTransport
    is_folder: bool = False
    """Whether the part is a tar of the files of a dump in a folder."""
    have: int = field(default=0, init=False)
    """Bytes on the host."""
    already: int = field(default=0, init=False)
    """Bytes that an earlier run had left."""

    def __post_init__(self) -> None:
        self.progress: Progress = lambda _done, _total: None
        self.verify: Callable[[str, int], None] = lambda _part, _total: None
        """Judges the whole part before its renaming; raises where it is no dump."""
        self._grown = threading.Condition()
        self._error: BaseException | None = None
        self._halted = threading.Event()
        self._published = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    @property
    def part(self) -> str:
        """The path of the part, until the dump is whole."""
        return f"{self.path}.part"

    @property
    def total(self) -> int:
        """The dump's bytes."""
        return self.transport.total

    @property
    def _room(self) -> int:
        """The bytes that the dump takes on the host's disk, at the transfer's end."""
        return self.total * (2 if self.is_folder else 1)

    @property
    def rate(self) -> float:
        """Bytes a second, so far."""
        seconds = time.monotonic() - self._began
        return (self.have - self.already) / max(seconds, 0.1)

    @property
    def left(self) -> int:
        """Bytes still to come."""
        return self.total - self.have

    @property
    def listing(self) -> str:
        """The path of the list file for a program that reads the dump on its stdin."""
        return f"{self.shell.folder}/list"

    def __enter__(self) -> HostTransfer:
        wanted = f"{self.total}", self.transport.identity
        needed = str(self._room + MARGIN)
        result = self.shell.verb("begin", self.part, *wanted, needed)
        if result.code == IN_USE:
            raise RemoteError(
                f"{self.part} on {self.shell.where} is in transfer by another run.",
                "Wait until it has ended; then both can use the dump.",
            )
        if not result.ok:
            self._unlock()
            raise HostRefused.by(self.shell.where, "Beginning the dump", result.err)
        try:
            self._begin(result.out)
        except BaseException:
            self._unlock()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._halted.set()
        if self._thread.is_alive():
            self._thread.join()
        if not self._published:
            self._unlock()

    def front(self) -> io.BufferedIOBase:
        """The dump's first bytes as a stream, for the table of contents."""
        return RemoteHead(self.shell, self.part, self.reach)

    def received(self, have: int) -> None:
        """Note that the host has `have` bytes; called by the transport.

        Raises DownloadStopped where the transfer is to end.
        """
        if self._halted.is_set():
            raise DownloadStopped(self.part)
        with self._grown:
            self.have = have
            self._grown.notify_all()
        self.progress(have, self.total)

    def reach(self, count: int) -> int:
        """Wait until the host has `count` bytes, or all; return the bytes it has.

        Raises the transfer's error.
        """
        with self._grown:
            while self.have < min(count, self.total):
                self.check()
                SIGNALS.check()
                self._grown.wait(PAUSE)
            return self.have

    def check(self) -> None:
        """Raise the transfer's error, if any."""
        if self._error:
            raise self._error

    def fed(self, argv: Sequence[str]) -> list[str]:
        """The command that writes the arriving dump to a program's stdin."""
        return self.shell.script("stream", self.part, str(self.total), *argv)

    def finish(self) -> None:
        """Wait until the dump is whole, verify it, and rename the part."""
        self.reach(self.total)
        while self._thread.is_alive():
            SIGNALS.check()
            self._thread.join(PAUSE)
        self.check()
        self.verify(self.part, self.total)
        verb = "unfold" if self.is_folder else "publish"
        words = self.shell.script(verb, self.part, self.path, str(self.total))
        self.shell.check("Renaming the dump", words)
        self._published = True

    def discard(self) -> None:
        """Remove the part and its journal: they are of no use."""
        self._halted.set()
        self._thread.join()
        paths = self.part, f"{self.part}.journal"
        self.shell.check("Removing the part", ["rm", "-f", *paths])

    def start_over(self) -> None:
        """Start at the first byte: the part on the host is of another object."""
        names = f"{self.total}", self.transport.identity
        words = self.shell.script("anew", self.part, *names)
        self.shell.check("Beginning the dump", words)
        self.received(0)

    def pause(self, seconds: float) -> None:
        """Wait. Raises DownloadStopped where the transfer is to end."""
        self._halted.wait(seconds)
        self.received(self.have)

    def _begin(self, answer: str) -> None:
        """Continue a part of this dump; any other was begun anew, or is now."""
        free, size, *journal = answer.split()
        identity = self.transport.identity
        known = bool(identity) and journal == [str(self.total), identity]
        self._refuse_full(int(free), self._room - (int(size) if known else 0))
        if known and 0 < int(size) <= self.total:
            self.already = int(size)
            self.received(self.already)
        elif size != "0" or journal != f"{self.total} {identity}".split():
            self.start_over()
        self._began = time.monotonic()
        self._thread.start()

    def _refuse_full(self, free: int, missing: int) -> None:
        folder, host = self.path.rpartition("/")[0], self.shell.where
        if free < missing + MARGIN:
            raise RemoteError(
                f"{folder} on {host}: {size(missing + MARGIN)} are needed there and"
                f" {size(free)} are free.",
                f"Make room, or set {setting('hosts')}.{host}.path to a folder that has"
                " it.",
            )

    def _work(self) -> None:
        try:
            if self.have < self.total:
                self.transport.bring(self)
        except BaseException as error:  # noqa: BLE001 - raised again for who waits
            self._error = error
        with self._grown:
            self._grown.notify_all()

    def _unlock(self) -> None:
        self.shell.run(["rm", "-f", f"{self.part}.lock"])
