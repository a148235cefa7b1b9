"""The watch on a pg_restore's stderr: progress, times and failures."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dbpull.archive import Entry
from dbpull.postgres.restore_messages import RestoreMessage, RestoreMessages
from dbpull.restore.failures import failure, is_hopeless

Progress = Callable[[int, int | None], None]
Bar = tuple[str, str, float, float]
"""A job or an entry that ran: its kind, its name, its begin and end by the clock
time.monotonic."""
# The lines of --verbose with -j, and without it (pg_backup_archiver.c).
_LAUNCHED = re.compile(r"launching item (\d+) ")
_FINISHED = re.compile(r"finished item (\d+) ")
_SERIAL = re.compile(
    r'processing (?:data for table "|BLOBS)|creating [A-Z ]+ "|executing (?!SELECT )'
)


@dataclass(frozen=True)
class Outcome:
    """The result of a restore."""

    harmless: tuple[str, ...]
    """The settings that an older server lacks, and the comments that failed."""
    seconds: dict[int, float]
    """How long each entry took, by dump id; only where workers tell (jobs > 1)."""
    sizes: Mapping[int, int] = field(default_factory=dict)
    """The size of each entry's block in bytes, by dump id, where known."""
    bars: tuple[Bar, ...] = ()
    """The jobs of the restore, where known."""
    absent: tuple[Entry, ...] = ()
    """The entries that failed and were tolerated."""
    analyzed: frozenset[tuple[str, str]] = frozenset()
    """The schema and name of each table that has its statistics."""


class Watch:
    """Reads pg_restore's stderr, and raises at the first message that matters.

    With `failed`, which is called with each failure, only a hopeless one raises.
    """

    def __init__(self, failed: Callable[[RestoreMessage], None] | None = None) -> None:
        self.messages = RestoreMessages()
        self._failed = failed
        self._heard = 0
        self.spans: dict[int, tuple[float, float]] = {}
        """When each entry began and ended, where workers tell."""
        self._began: dict[int, float] = {}
        self._progress: Progress = lambda _done, _total: None
        self._done = self._total = self._earlier = 0

    def begin(self, progress: Progress, total: int) -> None:
        """Get ready for another pg_restore, with `total` entries."""
        self._progress = progress
        self._done, self._total = 0, total
        self._earlier = len(self.messages.all)

    def __call__(self, line: str) -> None:
        """Read a line of stderr. Raises RestoreFailed."""
        text = self.messages.feed(line)
        self._hear_failures()
        if launched := _LAUNCHED.match(text):
            self._began[int(launched[1])] = time.monotonic()
        elif finished := _FINISHED.match(text):
            entry = int(finished[1])
            now = time.monotonic()
            self.spans[entry] = self._began.pop(entry, now), now
            self._count()
        elif _SERIAL.match(text) and not self._began:
            self._count()

    def end(self) -> None:
        """Note that pg_restore has ended. Raises RestoreFailed as `__call__`."""
        self.messages.close()
        self._hear_failures()
        if self._done < self._total:  # a line was lost where workers' lines mixed
            self._progress(self._total, self._total)

    @property
    def has_told(self) -> bool:
        """Whether this pg_restore has told of an error, harmless or not."""
        return len(self.messages.all) > self._earlier

    def _hear_failures(self) -> None:
        for message in self.messages.settled(self._heard):
            self._heard += 1
            if message.harmless:
                continue
            if self._failed is None or is_hopeless(message):
                raise failure(message)
            self._failed(message)

    def _count(self) -> None:
        self._done = min(self._done + 1, self._total)
        self._progress(self._done, self._total)
