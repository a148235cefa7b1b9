"""A dump on its way to a host: what of it is there, and when it is whole.

`<dump>.part` grows at its end only, so that a program can be fed with it meanwhile. Its
journal tells which object it is of; a link beside it keeps other runs off.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dbpull.errors.download import Stopped
from dbpull.errors.hosts import HostRefused, NoRoomThere, PartInUse
from dbpull.hosts.host import Host
from dbpull.hosts.remote_head import RemoteHead
from dbpull.signals import PAUSE, SIGNALS

MARGIN = 64 * 1024 * 1024  # bytes to leave free beyond the dump
IN_USE = 9
"""What `begin` of dumps.sh ends with where another run has the part."""
Progress = Callable[[int, int | None], None]


class HostTransport(Protocol):
    """A way in which a dump gets to a host."""

    identity: str
    """What tells this dump from another of its name; never holds a blank. Empty where
    nothing does: then no part of it is gone on with."""
    total: int
    """Its bytes."""

    def bring(self, arrival: HostTransfer) -> None:
        """Make the part grow to the dump's last byte."""


def _unseen(_done: int, _total: int | None) -> None:
    """Nobody looks yet."""


def _nothing() -> None:
    """Nobody asks for more than its bytes."""


@dataclass
class HostTransfer:
    """A dump that is brought to a host by a thread; a context manager.

    What has arrived when the context is left stays for the next run. `progress`, once
    set, is told bytes, by that thread.
    """

    shell: Host
    path: str
    """Where the dump will lie."""
    bringing: HostTransport
    have: int = field(default=0, init=False)
    """Bytes that are there."""
    already: int = field(default=0, init=False)
    """Bytes that an earlier run had left."""

    def __post_init__(self) -> None:
        self.progress: Progress = _unseen
        self.verify: Callable[[], None] = _nothing
        """Looks at the whole part before it gets its name; raises where it is none."""
        self._grown = threading.Condition()
        self._error: BaseException | None = None
        self._halted = threading.Event()
        self._published = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    where = ""
    """A host's own folder need not be told each time."""

    @property
    def began(self) -> float:
        """When it began to arrive (of time.monotonic)."""
        return self._began

    @property
    def ended(self) -> float | None:
        """Not told."""
        return None

    @property
    def part(self) -> str:
        """Where its bytes lie until it is whole."""
        return f"{self.path}.part"

    @property
    def total(self) -> int:
        """The dump's bytes."""
        return self.bringing.total

    @property
    def rate(self) -> float:
        """Bytes a second, up to now."""
        seconds = time.monotonic() - self._began
        return (self.have - self.already) / max(seconds, 0.1)

    @property
    def left(self) -> int:
        """Bytes that are still to come."""
        return self.total - self.have

    @property
    def identity(self) -> str:
        """What tells it from another of its name."""
        return self.bringing.identity

    @property
    def listing(self) -> str:
        """The file in which a fed program finds what came on its stdin."""
        return f"{self.shell.folder}/list"

    def __enter__(self) -> HostTransfer:
        held = self.shell.verb("begin", self.part)
        if held.code == IN_USE:
            raise PartInUse(self.shell.where, self.part)
        if not held.ok:
            self._let_go()
            raise HostRefused.by(self.shell.where, "Beginning the dump", held.err)
        try:
            self._begin(held.out)
        except BaseException:
            self._let_go()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._halted.set()
        if self._thread.is_alive():
            self._thread.join()
        if not self._published:
            self._let_go()

    def front(self) -> io.BufferedIOBase:
        """Its first bytes as a stream, for who reads the table of contents."""
        return RemoteHead(self.shell, self.part, self.reach)

    def received(self, have: int) -> None:
        """So many bytes are there now; told by who brings them.

        Raises Stopped where no more are wanted.
        """
        if self._halted.is_set():
            raise Stopped(self.part)
        with self._grown:
            self.have = have
            self._grown.notify_all()
        self.progress(have, self.total)

    def reach(self, count: int) -> int:
        """Wait until so many bytes are there, or all; returns how many are.

        Raises what ended the arrival.
        """
        with self._grown:
            while self.have < min(count, self.total):
                self.check()
                SIGNALS.check()
                self._grown.wait(PAUSE)
            return self.have

    def check(self) -> None:
        """Raise what ended the arrival."""
        if self._error:
            raise self._error

    def fed(self, argv: Sequence[str]) -> list[str]:
        """The command that feeds it to a program as it arrives."""
        return self.shell.script("stream", self.part, str(self.total), *argv)

    def finish(self) -> None:
        """Wait until it is whole, and give it its name."""
        self.reach(self.total)
        while self._thread.is_alive():
            SIGNALS.check()
            self._thread.join(PAUSE)
        self.check()
        self.verify()
        words = self.shell.script("publish", self.part, self.path, str(self.total))
        self._run("Giving the dump its name", *words)
        self._published = True

    def discard(self) -> None:
        """Remove what has arrived: it is of no use."""
        self._halted.set()
        self._thread.join()
        paths = self.part, f"{self.part}.journal"
        self._run("Removing what has arrived", "rm", "-f", *paths)

    def start_over(self) -> None:
        """Begin at the first byte: what is there is of something else."""
        words = self.shell.script("anew", self.part, f"{self.total}", self.identity)
        self._run("Beginning the dump", *words)
        self.received(0)

    def pause(self, seconds: float) -> None:
        """Wait, unless no more is wanted. Raises Stopped."""
        self._halted.wait(seconds)
        self.received(self.have)

    def _begin(self, told: str) -> None:
        """Go on with what is there, as far as it is of this dump."""
        free, size, *journal = told.split()
        known = bool(self.identity) and journal == [str(self.total), self.identity]
        self._refuse_full(int(free), self.total - (int(size) if known else 0))
        if known and 0 < int(size) <= self.total:
            self.already = int(size)
            self.received(self.already)
        else:
            self.start_over()
        self._began = time.monotonic()
        self._thread.start()

    def _refuse_full(self, free: int, missing: int) -> None:
        folder = self.path.rpartition("/")[0]
        if free < missing + MARGIN:
            raise NoRoomThere(self.shell.where, folder, missing + MARGIN, free)

    def _work(self) -> None:
        try:
            if self.have < self.total:
                self.bringing.bring(self)
        except BaseException as error:  # noqa: BLE001 - raised again for who waits
            self._error = error
        with self._grown:
            self._grown.notify_all()

    def _let_go(self) -> None:
        self.shell.run(["rm", "-f", f"{self.part}.lock"])

    def _run(self, doing: str, *argv: str) -> None:
        result = self.shell.run(argv)
        if not result.ok:
            raise HostRefused.by(self.shell.where, doing, result.err)
