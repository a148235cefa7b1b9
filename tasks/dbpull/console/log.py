"""The log: plain lines on stderr, where stderr is no terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dbpull.console.results import GAP, Results
from dbpull.console.step import Step, prefixed
from dbpull.console.streams import TURN

SPARSE = 30.0
"""Seconds between two lines of progress in a log."""


class Log:
    """Shows a run as plain lines."""

    mark = ""

    def say(self, text: str, style: str = "") -> None:
        """Write one line; a log has no styles."""
        with TURN:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    @contextmanager
    def shown(self, step: Step) -> Iterator[None]:
        """Write that the step begins, and now and then its progress."""
        self.say(prefixed(step.host, f"{step.sentence} …"))
        step.show = _Sparse(self, step.host)
        yield

    @contextmanager
    def live(self) -> Iterator[None]:
        """Do nothing: a log has no live lines."""
        yield

    def tabulate(self, results: Results) -> None:
        """Write the table, each column as wide as its widest cell."""
        self.say("")
        sides = [">" if title in results.numbers else "<" for title in results.header]
        for line in (results.header, *results.lines):
            cells = zip(line, sides, results.widths, strict=True)
            padded = (f"{cell:{side}{width}}" for cell, side, width in cells)
            self.say((" " * GAP).join(padded).rstrip())


class _Sparse:
    """A step's progress in a log: a line now and then."""

    def __init__(self, log: Log, host: str) -> None:
        self._log = log
        self._host = host
        self._last = time.monotonic()

    def __call__(self, _done: int, _total: int | None, amount: str) -> None:
        if amount and time.monotonic() - self._last > SPARSE:
            self._last = time.monotonic()
            self._log.say(prefixed(self._host, f"  {amount}"))
