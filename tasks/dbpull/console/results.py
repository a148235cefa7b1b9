"""The table at the end of a run on several hosts, and its records."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dbpull.console.step import Step
from dbpull.words import size, span

UNKNOWN = "-"
GAP = 2
"""The characters between two columns."""
LEGIBLE = 30
"""The least width of the `result` column, where its texts are long."""


class RunRecord:
    """The record of a run: its host, its backup, its steps and times."""

    backup: str = ""
    """The id of the backup to pull: `b101`."""
    size: int | None = None
    """The dump's bytes, once known."""
    quiet = False
    """Whether nothing but an error is told of the run."""

    def __init__(self, host: str = "") -> None:
        self.host = host
        self.steps: list[Step] = []
        self.began = time.monotonic()
        """When the run began (of time.monotonic)."""
        self._ended: float | None = None

    def end(self) -> None:
        """Note the end of the run; only the first call counts."""
        if self._ended is None:
            self._ended = time.monotonic()

    @property
    def ended(self) -> float:
        """When the run ended (of time.monotonic); now, while it goes on."""
        return time.monotonic() if self._ended is None else self._ended


@dataclass
class Results:
    """A table's header and lines, all of one length."""

    header: list[str]
    lines: list[list[str]]
    numbers = frozenset({"size", "fetch", "restore", "total"})
    """The columns that are aligned to the right."""

    @property
    def widths(self) -> list[int]:
        """The width of each column's widest cell, in characters."""
        columns = zip(self.header, *self.lines, strict=True)
        return [max(map(len, column)) for column in columns]

    def fitting(self, width: int) -> list[Results]:
        """Split off the last column where a terminal of `width` has no room for it."""
        *others, last = self.widths
        room = width - sum(other + GAP for other in others)
        if len(others) == 1 or room >= min(last, LEGIBLE):
            return [self]
        return [self._columns(slice(-1)), self._columns(slice(0, None, len(others)))]

    def _columns(self, chosen: slice) -> Results:
        return Results(self.header[chosen], [line[chosen] for line in self.lines])


def results_of(
    records: Mapping[str, Sequence[RunRecord]], results: Mapping[str, str]
) -> Results:
    """The table's rows: each host of `records`, with its text from `results`.

    A column without a value for any host is left out.
    """
    columns = {
        title: [value(own) if own else UNKNOWN for own in records.values()]
        for title, value in _VALUES.items()
    }
    known = {title: cells for title, cells in columns.items() if set(cells) - {UNKNOWN}}
    texts = [" ".join(results.get(host, UNKNOWN).split()) for host in records]
    lines = zip(records, *known.values(), texts, strict=True)
    return Results(["host", *known, "result"], [list(line) for line in lines])


def _backup(records: Sequence[RunRecord]) -> str:
    return next((r.backup for r in reversed(records) if r.backup), UNKNOWN)


def _size(records: Sequence[RunRecord]) -> str:
    known = [record.size for record in records if record.size is not None]
    return size(known[-1]) if known else UNKNOWN


def _took(name: str) -> Callable[[Sequence[RunRecord]], str]:
    def took(records: Sequence[RunRecord]) -> str:
        steps = [s for record in records for s in record.steps if s.name == name]
        return span(sum(step.seconds for step in steps)) if steps else UNKNOWN

    return took


def _total(records: Sequence[RunRecord]) -> str:
    return span(records[-1].ended - records[0].began)


_VALUES: dict[str, Callable[[Sequence[RunRecord]], str]] = {
    "backup": _backup,
    "size": _size,
    "fetch": _took("fetch"),
    "restore": _took("restore"),
    "total": _total,
}
