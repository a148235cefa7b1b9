"""What a user sees: lines, progress, tables; on stderr, through rich.

stdout is for what scripts read. Off a terminal there are plain lines only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbpull.words import size, span

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@dataclass
class Step:
    """A step under way: gets its progress, ends with the sentence of what was done."""

    name: str
    sentence: str
    """What is told when it has ended; the step's work may put it better."""
    unit: str
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    _bar: tuple[Progress, TaskID] | None = field(default=None, repr=False)

    def progress(self, done: int, total: int | None) -> None:
        """Show how far it is, in the step's unit (bytes or items)."""
        if self._bar:
            bar, task = self._bar
            bar.update(task, completed=done, total=total)


class Teller:
    """Tells a run's story; keeps each step's time for the closing table."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self.steps: list[Step] = []
        self.doing = ""
        """What is under way, as the step was announced."""
        self._began = time.monotonic()
        self.swapped = False
        """Whether the target has been replaced already."""

    def say(self, text: str, style: str = "") -> None:
        """One line."""
        self._console.print(text, style=style, markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Something to know, that stops nothing."""
        self.say(f"  {text}", "yellow")

    @contextmanager
    def step(self, name: str, doing: str, unit: str = "") -> Iterator[Step]:
        """Tell of a step while it lasts, and how long it took."""
        step = Step(name, doing, unit)
        self.doing = doing
        with self._shown(step, doing):
            yield step
        step.seconds = time.monotonic() - step.began
        self.steps.append(step)
        self.doing = ""
        mark = "✓ " if self._console.is_terminal else ""
        self.say(f"{mark}{step.sentence} ({span(step.seconds)})")

    def closing_table(self, slowest: Sequence[tuple[str, float, int | None]]) -> None:
        """The steps' times; under them the largest tables (name, seconds, bytes)."""
        lines = [(step.name, step.seconds, "") for step in self.steps]
        lines.append(("together", time.monotonic() - self._began, ""))
        lines += [
            (name, seconds, f"{size(part)} of the dump")
            for name, seconds, part in slowest
        ]
        width = max(len(name) for name, _, _ in lines)
        self.say("")
        for name, seconds, more in lines:
            took = span(seconds) if seconds else ""
            self.say(f"  {name:<{width}}  {took:>7}  {more}".rstrip(), "dim")

    @contextmanager
    def _shown(self, step: Step, doing: str) -> Iterator[None]:
        if not self._console.is_terminal:
            self.say(f"{doing} …")
            yield
            return
        with _bar(self._console, step.unit) as bar:
            step._bar = (bar, bar.add_task(doing, total=None))
            yield


@contextmanager
def _bar(console: object, unit: str) -> Iterator[Progress]:
    from rich import progress

    columns: list[progress.ProgressColumn | str] = [
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
    ]
    if unit == "bytes":
        columns += [
            progress.BarColumn(24),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
        ]
    elif unit:
        columns += [progress.BarColumn(24), progress.MofNCompleteColumn(), unit]
    columns += [progress.TimeElapsedColumn()]
    if unit:
        columns += ["left", progress.TimeRemainingColumn()]
    bar = progress.Progress(*columns, console=console, transient=True)  # type: ignore[arg-type]
    with bar:
        yield bar


def rows(header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """A table on stdout: drawn on a terminal, tab-separated without one."""
    if not sys.stdout.isatty():
        for line in lines:
            sys.stdout.write("\t".join(line) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for line in lines:
        table.add_row(*line)
    Console(highlight=False).print(table)


def out(text: str) -> None:
    """One line on stdout, for scripts."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
