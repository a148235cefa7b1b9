"""The log: plain lines on stderr, where stderr is no terminal, or one that can't draw.

The lines of steps have the time of day.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dbpull.console.results import GAP, Results
from dbpull.console.step import Step, prefixed
from dbpull.console.streams import TURN, drawable

SPARSE = 30.0
"""Seconds between two lines of progress in a log."""
WIDTH = 80
"""The width of a chart, in characters."""


class Log:
    """Shows a run as plain lines."""

    width = WIDTH

    def say(self, text: str, style: str = "") -> None:
        """Write one line; a log has no styles."""
        with TURN:
            sys.stderr.write(drawable(text, sys.stderr.encoding) + "\n")
            sys.stderr.flush()

    def done(self, text: str, host: str) -> None:
        """Write the sentence of a finished step."""
        self._stamped(text, host)

    def draw(self, pieces: Sequence[tuple[str, str]]) -> None:
        """Write one line in pieces."""
        self.say("".join(text for text, _ in pieces).rstrip())

    @contextmanager
    def shown(self, step: Step) -> Iterator[None]:
        """Write that the step begins, and now and then its progress."""
        self._stamped(f"{step.sentence} …", step.host)
        last = time.monotonic()

        def show() -> None:
            nonlocal last
            told = ", ".join(filter(None, [step.amount, step.doing]))
            if told and time.monotonic() - last > SPARSE:
                last = time.monotonic()
                self._stamped(f"  {told}", step.host)

        step.show = show
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

    def _stamped(self, text: str, host: str) -> None:
        self.say(f"{time.strftime('%H:%M:%S')} {prefixed(host, text)}")
