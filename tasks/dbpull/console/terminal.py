"""A terminal: styled lines, live lines with progress, tables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from dbpull.console.line import fitted
from dbpull.console.results import Results
from dbpull.console.step import Step
from dbpull.console.streams import drawable, is_drawn

MARK = "✓"
"""The first character of a line about a finished step."""
FRAME = 0.1
"""Seconds between two refreshes of the live lines."""
ECHO = 3
"""Free characters at a line's end: `^C` must not wrap, or lines are left behind."""


class Terminal:
    """Shows a run on a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(
            stderr=True, highlight=False, markup=False, emoji=False
        )

    @property
    def width(self) -> int:
        """The width of a line, in characters."""
        return self.console.width

    def say(self, text: str, style: str = "") -> None:
        """Print one line above the live lines; the terminal wraps it."""
        self.draw([(text, style)])

    def done(self, text: str, host: str) -> None:
        """Print the sentence of a finished step under its green mark."""
        head = f"{host}: " if host else ""
        self.draw([(head, ""), (MARK, "green"), (f" {text}", "")])

    def draw(self, pieces: Sequence[tuple[str, str]]) -> None:
        """Print one line in pieces."""
        self.console.print(text_of(pieces, self.console), soft_wrap=True)

    @contextmanager
    def shown(self, step: Step) -> Iterator[None]:
        """Show a live line: sentence, bar, amount, rate, time left."""
        lines = LiveLines(self.console, auto_refresh=True)
        with lines:
            lines.add(step, f"{step.host} " if step.host else "")
            yield

    @contextmanager
    def live(self) -> Iterator[None]:
        """Do nothing: each step brings a live line of its own."""
        yield

    def tabulate(self, results: Results) -> None:
        """Print the table; cells wrap where the terminal is too narrow."""
        with self.console:
            for part in results.fitting(self.console.width):
                self.say("")
                self.console.print(_table(part))


class LiveLines(Live):
    """The lines of the steps under way, drawn anew at each frame."""

    def __init__(self, console: Console, *, auto_refresh: bool) -> None:
        self._steps: list[tuple[int, str, Step]] = []
        self._drawn: list[int] = []
        """The width of each line as it was drawn last."""
        self._spinner = Spinner("dots")
        super().__init__(
            console=console,
            transient=True,
            auto_refresh=auto_refresh,
            refresh_per_second=1 / FRAME,
            get_renderable=self._lines,
            # Output for scripts stays on stdout.
            redirect_stdout=is_drawn(),
        )

    def add(self, step: Step, head: str, place: int = 0) -> None:
        """Draw a line for the step, sorted by its place."""
        self._steps = sorted([*self._steps, (place, head, step)], key=lambda of: of[0])

    def remove(self, step: Step) -> None:
        """Draw the step's line no more."""
        self._steps = [known for known in self._steps if known[2] is not step]

    def refresh(self) -> None:
        """Draw; where the terminal has become narrower, its wrapped lines go, too."""
        with self._lock:
            shape, width = self._live_render._shape, self.console.width
            if shape and reflows():
                rows = sum(max(1, -(-drawn // width)) for drawn in self._drawn)
                self._live_render._shape = shape[0], max(shape[1], rows)
            super().refresh()

    def _lines(self) -> Group:
        spinner = self._spinner.render(self.console.get_time())
        frame = "*" if self.console.options.ascii_only else str(spinner)
        width = self.console.width - ECHO
        lines = [fitted(s, width, head=f"{head}{frame} ") for _, head, s in self._steps]
        texts = [text_of(line, self.console) for line in lines]
        for text in texts:
            text.truncate(width, overflow="crop")  # ASCII's `...` is longer than `…`
        self._drawn = [text.cell_len for text in texts]
        return Group(*texts)


def reflows() -> bool:
    """Whether a terminal that becomes narrower wraps its lines: all but a few do."""
    cuts = "XTERM_VERSION" in os.environ or "STY" in os.environ  # xterm, screen
    return "TMUX" in os.environ or not cuts


def text_of(pieces: Sequence[tuple[str, str]], console: Console) -> Text:
    """The pieces as rich's text, in characters that the terminal can draw."""
    found = Text()
    for text, style in pieces:
        found.append(drawable(text, console.encoding), style or None)
    return found


def _table(results: Results) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in results.header:
        table.add_column(
            title,
            justify="right" if title in results.numbers else "left",
            # The wide columns wrap, so that no text is lost.
            no_wrap=title not in {"host", "result"},
            overflow="fold",
        )
    for line in results.lines:
        table.add_row(*line)
    return table
