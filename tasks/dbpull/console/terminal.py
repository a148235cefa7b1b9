"""A terminal for one thing at a time: styled lines, one live line, tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich import progress
from rich.console import Console
from rich.table import Table

from dbpull.console.results import Results
from dbpull.console.step import Step, prefixed

BAR = 24
"""How wide a bar is, in characters."""


class Terminal:
    """Shows a story on a terminal."""

    mark = "✓ "

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(
            stderr=True, highlight=False, markup=False, emoji=False
        )

    def say(self, text: str, style: str = "") -> None:
        """One line, above what is live; the terminal wraps it."""
        self.console.print(text, style=style, markup=False, soft_wrap=True)

    @contextmanager
    def shown(self, step: Step) -> Iterator[None]:
        """One live line: what, a bar, how much of how much, how fast, how long yet."""
        columns = [
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(BAR),
            progress.TextColumn("{task.fields[amount]}", markup=False),
            *([progress.TransferSpeedColumn()] if step.unit == "bytes" else []),
            progress.TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        ]
        doing = prefixed(step.host, step.sentence)
        with progress.Progress(*columns, console=self.console, transient=True) as bar:
            task = bar.add_task(doing, total=None, amount="")
            step.show = lambda done, total, amount: bar.update(
                task, completed=done, total=total, amount=amount
            )
            yield

    @contextmanager
    def live(self) -> Iterator[None]:
        """Each step brings a live line of its own."""
        yield

    def tabulate(self, results: Results) -> None:
        """Columns; what is too long for the terminal goes on in the next line."""
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
            # The wide ones give way, and lose nothing.
            no_wrap=title not in {"host", "result"},
            overflow="fold",
        )
    for line in results.lines:
        table.add_row(*line)
    return table
