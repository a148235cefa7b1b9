"""A step under way, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from dbpull.words import size

Show = Callable[[int, int | None, str], None]


@dataclass
class Step:
    """A step under way: gets its progress, ends with the sentence of what was done."""

    name: str
    sentence: str
    """What is told when it has ended; the step's work may put it better."""
    unit: str
    host: str = ""
    """The host it is taken for, where there is one."""
    began: float = field(default_factory=lambda: time.monotonic())
    seconds: float = 0.0
    show: Show | None = field(default=None, repr=False)

    def progress(self, done: int, total: int | None) -> None:
        """Show how far it is, in the step's unit (bytes, or things)."""
        if self.show:
            self.show(done, total, self._amount(done, total))

    def report(self, done: float, total: float, amount: str) -> None:
        """Show how far it is, in words of one's own."""
        if self.show:
            self.show(int(done), int(total) or None, amount)

    def phase(self, unit: str) -> Callable[[int, int | None], None]:
        """Go on to other things; returns what takes their progress."""
        self.unit = unit
        self.progress(0, None)
        return self.progress

    def _amount(self, done: int, total: int | None) -> str:
        if self.unit == "bytes":
            return f"{size(done)} of {size(total)}" if total else size(done)
        return f"{done} of {total} {self.unit}" if total else ""


def prefixed(host: str, text: str) -> str:
    """Each line of a text, said of a host: `devbox: Swapped`."""
    if not host:
        return text
    return "\n".join(f"{host}: {line}".rstrip() for line in text.split("\n"))
