"""Listening to a pg_restore: what it has done, how long that took, what went wrong."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dbpull.errors.restore import RestoreFailed
from dbpull.postgres.complaints import Complaint, Complaints
from dbpull.postgres.privacy import without_values, without_words
from dbpull.postgres.psql import cause

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


class Watch:
    """Takes pg_restore's stderr, and ends it at the first complaint that matters."""

    def __init__(self) -> None:
        self.complaints = Complaints()
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
        """Take a line. Raises RestoreFailed after a complaint that matters."""
        text = self.complaints.feed(line)
        self._refuse_fatal()
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
        self._refuse_fatal()
        if self._done < self._total:  # a line was lost where workers' lines mixed
            self._progress(self._total, self._total)

    def outcome(self) -> Outcome:
        """What was heard."""
        settings = (complaint.harmless for complaint in self.complaints.all)
        return Outcome(tuple(dict.fromkeys(settings)), self._seconds)

    def _refuse_fatal(self) -> None:
        if fatal := self.complaints.fatal:
            raise _failure(fatal)

    def _count(self) -> None:
        self._done = min(self._done + 1, self._total)
        self._progress(self._done, self._total)


def _failure(fatal: Complaint) -> RestoreFailed:
    what = fatal.item or "pg_restore"
    why = without_values(cause(fatal.error))
    if fatal.raised_by:
        why = without_words(fatal.raised_by)
    if fatal.context:
        why += f" ({fatal.context})"
    remedy = ""
    if "FK CONSTRAINT" in what:
        remedy = (
            "If the table that it refers to is in skip_data, skip the rows that refer"
            " to it as well."
        )
    return RestoreFailed(what, why, remedy)
