"""What the table at the end holds: a row per host."""

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
"""How wide the column of the ends is at least, where they are long."""


@dataclass
class Results:
    """A table's header and lines, all of one length."""

    header: list[str]
    lines: list[list[str]]
    numbers = frozenset({"size", "fetch", "restore", "total"})
    """The columns whose cells end at the same place."""

    @property
    def widths(self) -> list[int]:
        """Of each column's widest cell, in characters."""
        columns = zip(self.header, *self.lines, strict=True)
        return [max(map(len, column)) for column in columns]

    def fitting(self, width: int) -> list[Results]:
        """These, or two for a terminal of so few characters that the ends lack room."""
        *others, last = self.widths
        room = width - sum(other + GAP for other in others)
        if len(others) == 1 or room >= min(last, LEGIBLE):
            return [self]
        return [self._columns(slice(-1)), self._columns(slice(0, None, len(others)))]

    def _columns(self, which: slice) -> Results:
        return Results(self.header[which], [line[which] for line in self.lines])


def results_of(
    stories: Mapping[str, Sequence[Reporter]], ends: Mapping[str, str]
) -> Results:
    """What became of each host in `stories`, with its text from `ends`.

    A column where no host has anything to tell is left out.
    """
    columns = {
        title: [
            value(reporters) if reporters else UNKNOWN for reporters in stories.values()
        ]
        for title, value in _VALUES.items()
    }
    told = {title: cells for title, cells in columns.items() if set(cells) - {UNKNOWN}}
    ended = [" ".join(ends.get(host, UNKNOWN).split()) for host in stories]
    lines = zip(stories, *told.values(), ended, strict=True)
    return Results(["host", *told, "result"], [list(line) for line in lines])


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
