"""A step of a run, with its progress."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dbpull.words import portion

WINDOW, APART = 10.0, 0.1
"""Seconds over which the rate is the mean; the fewest between two samples."""


@dataclass
class Step:
    """A step under way: takes progress, and ends with its sentence."""

    name: str
    sentence: str
    """The sentence told at the end; the step's work may replace it."""
    unit: str
    host: str = ""
    """The host that the step works on; empty for this machine."""
    began: float = field(default_factory=lambda: time.monotonic())
    seconds: float = 0.0
    done: int = 0
    total: int | None = None
    doing: str = ""
    """What the step works on now: a table, some tables."""
    show: Callable[[], None] | None = field(default=None, repr=False)
    """Called after each progress."""
    _arrived: list[tuple[float, int]] = field(default_factory=list, repr=False)
    """What was done at some moments; replaced, not changed: another thread draws."""

    def progress(self, done: int, total: int | None) -> None:
        """Show the progress, in the step's unit (bytes, or a count of things)."""
        self.report(done, total or 0, self.doing)

    def report(self, done: int, total: int, doing: str) -> None:
        """Show the progress, and what the step works on now."""
        now = time.monotonic()
        known = [] if done < self.done else self._arrived  # it starts over
        if len(known) > 1 and now - known[-2][0] < APART:
            known = known[:-1]
        recent = [sample for sample in known[:-1] if now - sample[0] <= WINDOW]
        self._arrived = [*recent, *known[-1:], (now, done)]
        self.done, self.total, self.doing = done, total or None, doing
        if self.show:
            self.show()

    def phase(self, unit: str) -> Callable[[int, int | None], None]:
        """Count in another unit from now on; return the function for the progress."""
        self.unit, self.doing = unit, ""
        self.progress(0, None)
        return self.progress

    @property
    def amount(self) -> str:
        """The progress in words: `2.3/7.7 MB`, `3/12 tables`."""
        if self.unit == "bytes":
            return portion(self.done, self.total) if self.done or self.total else ""
        return f"{self.done}/{self.total} {self.unit}".strip() if self.total else ""

    @property
    def rate(self) -> float | None:
        """Units a second, lately; None where it can't be told, or all is done."""
        arrived = self._arrived
        if len(arrived) < 2 or (self.total and self.done >= self.total):
            return None
        seconds = time.monotonic() - arrived[0][0]
        return (arrived[-1][1] - arrived[0][1]) / seconds if seconds > 0 else None

    @property
    def left(self) -> float | None:
        """The seconds until the end, at the present rate."""
        rate = self.rate
        return (self.total - self.done) / rate if self.total and rate else None


def prefixed(host: str, text: str) -> str:
    """The text with the host before each line: `devbox: Swapped`."""
    if not host:
        return text
    return "\n".join(f"{host}: {line}".rstrip() for line in text.split("\n"))
