"""A terminal for one step at a time: styled lines, one live line, tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress
from rich.console import Console
from rich.table import Table

from dbpull.console.results import Results
from dbpull.console.step import Step, prefixed

BAR = 24
"""A bar's width, in characters."""


class Terminal:
    """Shows a run on a terminal."""

    mark = "✓ "

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(
            stderr=True, highlight=False, markup=False, emoji=False
        )

    def say(self, text: str, style: str = "") -> None:
        """Print one line above the live line; the terminal wraps it."""
        self.console.print(text, style=style, markup=False, soft_wrap=True)

    @contextmanager
    def shown(self, step: Step) -> Iterator[None]:
        """Show a live line: sentence, bar, amount, rate, time remaining."""
        columns = [
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(BAR),
            progress.TextColumn("{task.fields[amount]}", markup=False),
            *([progress.TransferSpeedColumn()] if step.unit == "bytes" else []),
            progress.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        ]
        sentence = prefixed(step.host, step.sentence)
        with progress.Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(sentence, total=None, amount="")
            step.show = lambda done, total, amount: bar.update(
                task, completed=done, total=total, amount=amount
            )
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
