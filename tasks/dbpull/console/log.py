"""Plain lines on stderr, where there is no terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dbpull.console.results import GAP, Results
from dbpull.console.step import Step, prefixed

SPARSE = 30.0
"""Seconds between two lines of progress where there is no terminal."""
TURN = threading.Lock()
"""Held while a line is written, so that threads' lines don't mix."""


class Log:
    """Shows a story as lines, for a log."""

    mark = ""

    def say(self, text: str, style: str = "") -> None:
        """One line; nothing styles it."""
        with TURN:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    @contextmanager
    def shown(self, step: Step) -> Iterator[None]:
        """Say that it begins, and now and then how far it is."""
        self.say(prefixed(step.host, f"{step.sentence} …"))
        step.show = _Sparse(self, step.host)
        yield

    @contextmanager
    def live(self) -> Iterator[None]:
        """Nothing moves here."""
        yield

    def tabulate(self, results: Results) -> None:
        """Columns, each as wide as its widest cell."""
        self.say("")
        sides = [">" if title in results.numbers else "<" for title in results.header]
        for line in (results.header, *results.lines):
            cells = zip(line, sides, results.widths, strict=True)
            padded = (f"{cell:{side}{width}}" for cell, side, width in cells)
            self.say((" " * GAP).join(padded).rstrip())


class _Sparse:
    """Progress off a terminal: a line now and then."""

    def __init__(self, plain: Log, host: str) -> None:
        self._plain = plain
        self._host = host
        self._last = time.monotonic()

    def __call__(self, _done: int, _total: int | None, amount: str) -> None:
        if amount and time.monotonic() - self._last > SPARSE:
            self._last = time.monotonic()
            self._plain.say(prefixed(self._host, f"  {amount}"))
