"""A step of a run, with its progress."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dbpull.words import size

Show = Callable[[int, int | None, str], None]


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
    show: Show | None = field(default=None, repr=False)

    def progress(self, done: int, total: int | None) -> None:
        """Show the progress, in the step's unit (bytes, or a count of things)."""
        if self.show:
            self.show(done, total, self._amount(done, total))

    def report(self, done: float, total: float, amount: str) -> None:
        """Show the progress, with the caller's own words for the amount."""
        if self.show:
            self.show(int(done), int(total) or None, amount)

    def phase(self, unit: str) -> Callable[[int, int | None], None]:
        """Count in another unit from now on; return the function for the progress."""
        self.unit = unit
        self.progress(0, None)
        return self.progress

    def _amount(self, done: int, total: int | None) -> str:
        if self.unit == "bytes":
            return f"{size(done)} of {size(total)}" if total else size(done)
        return f"{done} of {total} {self.unit}" if total else ""


def prefixed(host: str, text: str) -> str:
    """The text with the host before each line: `devbox: Swapped`."""
    if not host:
        return text
    return "\n".join(f"{host}: {line}".rstrip() for line in text.split("\n"))
