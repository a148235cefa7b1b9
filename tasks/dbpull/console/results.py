"""The rows of the table at the end of a run on several hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dbpull.words import size, span

if TYPE_CHECKING:
    from dbpull.console.reporter import Reporter

UNKNOWN = "-"
GAP = 2
"""The characters between two columns."""
LEGIBLE = 30
"""The least width of the `result` column, where its texts are long."""


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
    reporters: Mapping[str, Sequence[Reporter]], results: Mapping[str, str]
) -> Results:
    """The table's rows: each host of `reporters`, with its text from `results`.

    A column without a value for any host is left out.
    """
    columns = {
        title: [value(own) if own else UNKNOWN for own in reporters.values()]
        for title, value in _VALUES.items()
    }
    known = {title: cells for title, cells in columns.items() if set(cells) - {UNKNOWN}}
    texts = [" ".join(results.get(host, UNKNOWN).split()) for host in reporters]
    lines = zip(reporters, *known.values(), texts, strict=True)
    return Results(["host", *known, "result"], [list(line) for line in lines])


def _backup(reporters: Sequence[Reporter]) -> str:
    return next((t.backup for t in reversed(reporters) if t.backup), UNKNOWN)


def _size(reporters: Sequence[Reporter]) -> str:
    known = [reporter.size for reporter in reporters if reporter.size is not None]
    return size(known[-1]) if known else UNKNOWN


def _took(name: str) -> Callable[[Sequence[Reporter]], str]:
    def took(reporters: Sequence[Reporter]) -> str:
        steps = [s for reporter in reporters for s in reporter.steps if s.name == name]
        return span(sum(step.seconds for step in steps)) if steps else UNKNOWN

    return took


def _total(reporters: Sequence[Reporter]) -> str:
    return span(reporters[-1].ended - reporters[0].began)


_VALUES: dict[str, Callable[[Sequence[Reporter]], str]] = {
    "backup": _backup,
    "size": _size,
    "fetch": _took("fetch"),
    "restore": _took("restore"),
    "total": _total,
}
