"""The chunks of an object: the bytes on the disk, and the wait for more bytes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dbpull.download.journal import Identity
from dbpull.errors.download import ObjectChanged
from dbpull.signals import SIGNALS

ENDLESS = 1 << 62  # the end of an object whose length the host does not tell
LOOK_AGAIN = 0.2  # seconds between two checks for a signal while waiting
REPORT_EVERY = 0.05  # seconds between two calls of `progress`

Progress = Callable[[int, int | None], None]


@dataclass(slots=True)
class Chunk:
    """A range of the object. Its bytes from `start` to `reached` are on the disk.

    The journal notes its first `noted` bytes. `claims` are from an earlier run's
    journal: pairs of a count of first bytes and their crc32, the lowest count first.
    """

    index: int
    start: int
    end: int
    reached: int
    crc: int = 0
    noted: int = 0
    claims: tuple[tuple[int, int], ...] = ()

    @property
    def count(self) -> int:
        """The number of the chunk's bytes on the disk."""
        return self.reached - self.start

    @property
    def claimed(self) -> int:
        """The most first bytes that an earlier run claims to have left."""
        return self.claims[-1][0] if self.claims else 0


class Chunks:
    """The chunks of one object, front first unless `prefer` was called.

    Every method may be called by any thread.

    `generation` counts the objects: a reader of an earlier object gets ObjectChanged.
    """

    def __init__(self, progress: Progress) -> None:
        self.identity = Identity(None, None)
        self.host = ""
        self.generation = 0
        self.ready = False
        self.complete = False
        self.received = 0
        self.already = 0
        self.damaged = 0
        self.error: BaseException | None = None
        self._chunk = ENDLESS
        self._chunks: list[Chunk] = []
        self._waiting: deque[Chunk] = deque()
        self._left = 0
        self._arrived = 0
        self._changed = threading.Condition()
        self.progress = progress
        self._reporting = threading.Lock()
        self._reported = 0.0

    @property
    def size(self) -> int | None:
        """The object's bytes; None while the size is unknown."""
        return self.identity.size

    @property
    def kept(self) -> int:
        """Bytes on the disk for the next run; 0 where the next run can't resume."""
        return self._arrived if self.resumable else 0

    @property
    def resumable(self) -> bool:
        """Whether another run can recognise the object and request its other bytes."""
        known = self.identity.size is not None and bool(self.identity.etag)
        return known and self._chunk != ENDLESS

    def begin(
        self,
        identity: Identity,
        chunk: int,
        checksums: dict[int, dict[int, int]],
        host: str,
    ) -> None:
        """Lay out the chunks of an object; `checksums` are from an earlier run."""
        size = ENDLESS if identity.size is None else identity.size
        starts = range(0, size, chunk)
        with self._changed:
            self.identity, self.host, self._chunk = identity, host, chunk
            self._chunks = [
                Chunk(
                    i,
                    start,
                    min(start + chunk, size),
                    start,
                    claims=tuple(sorted(checksums.get(i, {}).items())),
                )
                for i, start in enumerate(starts)
            ]
            self._waiting = deque(self._chunks)
            self._left = len(self._chunks)
            self.already = sum(chunk.claimed for chunk in self._chunks)
            self._arrived = self.damaged = 0
            self._changed.notify_all()

    def restart(self) -> None:
        """Forget the object: its readers get ObjectChanged afterwards."""
        with self._changed:
            self.generation += 1
            self._chunks, self._waiting = [], deque()
            self._arrived = 0
            self._changed.notify_all()

    def allow(self) -> None:
        """Let `wait_ready` return: the object is known, its first bytes accepted."""
        with self._changed:
            self.ready = True
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """Raise the error in every waiting thread; only the first error counts."""
        with self._changed:
            if self.error is None and not self.complete:
                self.error = error
            self._changed.notify_all()

    def take(self) -> Chunk | None:
        """Return the next chunk that no thread has taken, or None."""
        with self._changed:
            return self._waiting.popleft() if self._waiting else None

    def prefer(self, ranges: Sequence[tuple[int, int]]) -> None:
        """Let `take` return the chunks of these ranges first, in the ranges' order.

        A range is a start and an end (excluded). The chunks beside them follow, front
        first.
        """
        with self._changed:
            left = {chunk.index: chunk for chunk in self._waiting}
            first = [
                left.pop(index)
                for start, end in ranges
                for index in range(start // self._chunk, -(-end // self._chunk))
                if index in left
            ]
            self._waiting = deque((*first, *(left[index] for index in sorted(left))))

    def add_received(self, chunk: Chunk, count: int) -> None:
        """Note that the chunk has `count` more bytes, from the network."""
        with self._changed:
            chunk.reached += count
            self.received += count
            self._arrived += count
            self._changed.notify_all()
        self._report()

    def regain(self, chunk: Chunk, count: int, crc: int) -> None:
        """Note that the first `count` bytes of an earlier run's chunk are right."""
        with self._changed:
            self.damaged += chunk.claimed - count
            self.already -= chunk.claimed - count
            chunk.reached, chunk.noted, chunk.crc = chunk.start + count, count, crc
            self._arrived += count
            self._changed.notify_all()
        self._report()

    def done(self, chunk: Chunk) -> None:
        """Note that the chunk is complete."""
        with self._changed:
            if chunk.end == ENDLESS:
                chunk.end = chunk.reached
                self.identity = Identity(chunk.end, self.identity.etag)
            self._arrived += chunk.end - chunk.reached
            chunk.reached = chunk.end
            self._left -= 1
            self.complete = self._left == 0
            self._changed.notify_all()
        self._report(last=self.complete)

    def available(self, offset: int, generation: int) -> int:
        """Wait for the byte at `offset`; return the bytes from there, 0 at the end.

        Raises the download's error, or ObjectChanged for an earlier generation.
        """
        with self._changed:
            while True:
                self.check_generation(generation)
                count = self._reached(offset) - offset
                if count > 0 or self._ends_before(offset):
                    return max(count, 0)
                self._wait()

    def check_generation(self, generation: int) -> None:
        """Raise ObjectChanged where the generation is over."""
        if generation != self.generation:
            raise ObjectChanged(self.host)

    def wait_ready(self) -> None:
        """Wait for `allow`. Raises the download's error."""
        with self._changed:
            while not self.ready:
                self._wait()

    def wait(self, generation: int | None = None) -> None:
        """Wait for the last byte. Raises the download's error.

        Raises ObjectChanged as soon as the `generation` is over, if one is given.
        """
        with self._changed:
            while not self.complete:
                if generation is not None:
                    self.check_generation(generation)
                self._wait()

    def _wait(self) -> None:
        if self.error is not None:
            raise self.error
        SIGNALS.check()
        SIGNALS.wait(self._changed, LOOK_AGAIN)

    def _reached(self, offset: int) -> int:
        index = offset // self._chunk
        return self._chunks[index].reached if index < len(self._chunks) else 0

    def _ends_before(self, offset: int) -> bool:
        return self.size is not None and offset >= self.size

    def _report(self, *, last: bool = False) -> None:
        """Report progress now and then; never from two threads at once."""
        if not last and time.monotonic() - self._reported < REPORT_EVERY:
            return
        if self._reporting.acquire(blocking=last):
            try:
                self._reported = time.monotonic()
                self.progress(self._arrived, self.size)
            finally:
                self._reporting.release()
