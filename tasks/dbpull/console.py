"""What a user sees: lines, progress, tables; on stderr, through rich.

stdout is for what scripts read. Off a terminal there are plain lines only.
"""

from __future__ import annotations

import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dbpull.words import size, span

if TYPE_CHECKING:
    from rich.console import Console

Show = Callable[[int, int | None, str], None]
SPARSE = 30.0
"""Seconds between two lines of progress where there is no terminal."""


@dataclass
class Step:
    """A step under way: gets its progress, ends with the sentence of what was done."""

    name: str
    sentence: str
    """What is told when it has ended; the step's work may put it better."""
    unit: str
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0
    _show: Show | None = field(default=None, repr=False)

    def progress(self, done: int, total: int | None) -> None:
        """Show how far it is, in the step's unit (bytes, or things)."""
        if self._show:
            self._show(done, total, self._amount(done, total))

    def phase(self, unit: str) -> Callable[[int, int | None], None]:
        """Go on to other things; returns what takes their progress."""
        self.unit = unit
        self.progress(0, None)
        return self.progress

    def _amount(self, done: int, total: int | None) -> str:
        if self.unit == "bytes":
            return f"{size(done)} of {size(total)}" if total else size(done)
        return f"{done} of {total} {self.unit}" if total else ""


class Teller:
    """Tells a run's story; keeps each step's time for the closing table."""

    def __init__(self) -> None:
        self._console = _console() if sys.stderr.isatty() else None
        self.steps: list[Step] = []
        self.doing = ""
        """What is under way, as the step was announced."""
        self._began = time.monotonic()
        self.standing = ""
        """How things stand, for the error that ends the run."""

    def say(self, text: str, style: str = "") -> None:
        """One line."""
        if self._console:
            self._console.print(text, style=style, markup=False, soft_wrap=True)
        else:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

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
        mark = "✓ " if self._console else ""
        self.say(f"{mark}{step.sentence} ({span(step.seconds)})")

    def closing_table(self, slowest: Sequence[tuple[str, float, int]]) -> None:
        """The steps' times; under them the slowest tables (name, seconds, bytes)."""
        lines = [(step.name, span(step.seconds), "") for step in self.steps]
        lines.append(("together", span(time.monotonic() - self._began), ""))
        for name, seconds, part in slowest:
            took = span(seconds) if seconds else ""
            lines.append((f"rows of {name}", took, f"{size(part)} of the dump"))
        width = max(len(name) for name, _, _ in lines)
        self.say("")
        for name, took, more in lines:
            self.say(f"  {name:<{width}}  {took or '-':>7}  {more}".rstrip(), "dim")

    @contextmanager
    def _shown(self, step: Step, doing: str) -> Iterator[None]:
        if not self._console:
            self.say(f"{doing} …")
            step._show = _Sparse(self)
            yield
            return
        with _bar(self._console, doing, rate=step.unit == "bytes") as step._show:
            yield


def _console() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, emoji=False)


class _Sparse:
    """Progress off a terminal: a line now and then."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._last = time.monotonic()

    def __call__(self, _done: int, _total: int | None, amount: str) -> None:
        if amount and time.monotonic() - self._last > SPARSE:
            self._last = time.monotonic()
            self._teller.say(f"  {amount}")


@contextmanager
def _bar(console: Console, doing: str, *, rate: bool) -> Iterator[Show]:
    """One live line: what, a bar, how much of how much, how fast, how long yet."""
    from rich import progress

    columns: list[progress.ProgressColumn] = [
        progress.SpinnerColumn(),
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(24),
        progress.TextColumn("{task.fields[amount]}", markup=False),
    ]
    if rate:
        columns.append(progress.TransferSpeedColumn())
    columns.append(
        progress.TimeRemainingColumn(compact=True, elapsed_when_finished=True)
    )
    with progress.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(doing, total=None, amount="")
        yield lambda done, total, amount: bar.update(
            task, completed=done, total=total, amount=amount
        )


def is_drawn() -> bool:
    """Whether stdout is a terminal, for people; it may also be closed (`>&-`)."""
    return sys.stdout is not None and sys.stdout.isatty()


def rows(header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """A table on stdout: drawn on a terminal, tab-separated without one."""
    if not is_drawn():
        for line in lines:
            out("\t".join(line))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for line in lines:
        table.add_row(*line)
    Console(highlight=False, markup=False, emoji=False).print(table)


def out(text: str) -> None:
    """One line on stdout, for scripts."""
    if sys.stdout is None:
        return
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # whatever the locale
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough (`| head`); Python must not stumble at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
