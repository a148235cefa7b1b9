"""Listening to a pg_restore: what it has done, how long that took, what went wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dbpull.archive import Entry
from dbpull.postgres.restore_messages import Complaints, RestoreMessage
from dbpull.restore.failures import failure, is_hopeless

Progress = Callable[[int, int | None], None]
# What --verbose prints with -j, and what without (pg_backup_archiver.c).
_LAUNCHED = re.compile(r"launching item (\d+) ")
_FINISHED = re.compile(r"finished item (\d+) ")
_SERIAL = re.compile(
    r'processing (?:data for table "|BLOBS)|creating [A-Z ]+ "|executing (?!SELECT )'
)


@dataclass(frozen=True)
class Bar:
    """Something that ran, from when to when (of time.monotonic)."""

    kind: str
    name: str
    began: float
    ended: float
    size: int = 0
    """Bytes of the dump, where it is about those."""

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.began


@dataclass(frozen=True)
class Outcome:
    """What a restore did."""

    harmless: tuple[str, ...]
    """Settings that pg_restore would have and the server is too old for."""
    seconds: dict[int, float]
    """How long each item took, by dump id; only where workers tell (jobs > 1)."""
    sizes: Mapping[int, int] = field(default_factory=dict)
    """Bytes of the dump that each item's data takes, where that was seen."""
    bars: tuple[Bar, ...] = ()
    """What ran when, where that was seen."""
    absent: tuple[Entry, ...] = ()
    """What could not be restored, and was not to be waited for."""


class Watch:
    """Takes pg_restore's stderr, and ends it at a complaint that matters.

    Where `failed` takes what fails, only one after which nothing can follow does.
    """

    def __init__(self, failed: Callable[[RestoreMessage], None] | None = None) -> None:
        self.complaints = Complaints()
        self._failed = failed
        self._heard = 0
        self._seconds: dict[int, float] = {}
        self.spans: dict[int, tuple[float, float]] = {}
        """When each item began and ended, where workers tell."""
        self._began: dict[int, float] = {}
        self._progress: Progress
        self._done = self._total = 0

    def begin(self, progress: Progress, total: int) -> None:
        """Another pg_restore, with so many items, is about to start."""
        self._progress = progress
        self._done, self._total = 0, total

    def __call__(self, line: str) -> None:
        """Take a line. Raises RestoreFailed."""
        text = self.complaints.feed(line)
        self._hear_failures()
        if launched := _LAUNCHED.match(text):
            self._began[int(launched[1])] = time.monotonic()
        elif finished := _FINISHED.match(text):
            item = int(finished[1])
            began = self._began.pop(item, time.monotonic())
            self.spans[item] = began, time.monotonic()
            self._seconds[item] = time.monotonic() - began
            self._count()
        elif _SERIAL.match(text) and not self._began:
            self._count()

    def end(self) -> None:
        """That pg_restore has ended. Raises RestoreFailed as above."""
        self.complaints.close()
        self._hear_failures()
        if self._done < self._total:  # a line was lost where workers' lines mixed
            self._progress(self._total, self._total)

    def outcome(self) -> Outcome:
        """What was heard."""
        told = dict.fromkeys(complaint.harmless for complaint in self.complaints.all)
        return Outcome(tuple(filter(None, told)), self._seconds)

    def _hear_failures(self) -> None:
        for complaint in self.complaints.settled(self._heard):
            self._heard += 1
            if complaint.harmless:
                continue
            if self._failed is None or is_hopeless(complaint):
                raise failure(complaint)
            self._failed(complaint)

    def _count(self) -> None:
        self._done = min(self._done + 1, self._total)
        self._progress(self._done, self._total)
