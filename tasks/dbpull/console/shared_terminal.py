"""One terminal for the threads of several hosts: a live line for each running step."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import progress
from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.table import Column, Table
from rich.text import Text

from dbpull.console.step import Step
from dbpull.console.streams import is_drawn
from dbpull.console.terminal import BAR, Terminal

FRAME = 0.1
"""Seconds between two refreshes of the live lines."""
BARS_FROM, SHORTEST_BAR = 72, 10
"""The narrowest terminal whose lines have a bar; the shortest bar, in characters."""
BESIDES = 40
"""The characters of a line besides its host, its sentence and its bar."""
ECHO = 3
"""Free characters at a line's end: `^C` must not wrap, or lines are left behind."""


class SharedTerminal(Terminal):
    """Shows many runs at once; any thread may use it.

    rich draws one live display at a time, so all steps are lines of one display.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        super().__init__(
            InTurn(stderr=True, highlight=False, markup=False, emoji=False)
        )
        self._hosts = hosts
        self._lines = DrawnLines(self.console)

    @contextmanager
    def live(self) -> Iterator[None]:
        """Draw the live lines; clear them on leaving, also after an error."""
        over = threading.Event()
        painter = threading.Thread(target=self._paint, args=(over,), daemon=True)
        try:
            with self.console:
                self._lines.start()
            painter.start()
            yield
        finally:
            over.set()
            with self.console:
                self._lines.stop()

    @contextmanager
    def shown(self, step: Step) -> Iterator[None]:
        """Give the step a line of its own, at its host's place."""
        place = self._hosts.index(step.host) if step.host in self._hosts else -1
        with self.console:  # always the turn first, then rich's own locks
            task = self._lines.add_task(
                step.sentence, total=None, amount="", step=step, place=place
            )
        step.show = lambda done, total, amount: self._lines.update(
            task, completed=done, total=total, amount=amount
        )
        try:
            yield
        finally:
            with self.console:
                # Hidden, not removed: a thread of the step may still report progress.
                self._lines.update(task, visible=False, refresh=True)

    def _paint(self, over: threading.Event) -> None:
        # rich's own refreshing thread takes its locks in another order than a thread
        # that prints: with the turn between them, the two would wait for each other.
        while not over.wait(FRAME):
            with self.console:
                self._lines.refresh()


class InTurn(Console):
    """A console on which one thread at a time prints.

    rich renders a thread's text before it writes the text. Text that moves the cursor
    over the live lines must be written before another thread's text is rendered.
    """

    _turn = threading.RLock()

    def __enter__(self) -> InTurn:
        """Wait for the turn; rich itself enters the console for each print."""
        self._turn.acquire()
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        """Write, and pass the turn on."""
        try:
            super().__exit__(*error)
        finally:
            self._turn.release()


class DrawnLines(progress.Progress):
    """The live lines, in the hosts' order; with bars where there is room."""

    def __init__(self, console: Console) -> None:
        self._terminal = console
        self._bar = progress.BarColumn(BAR)
        self._all: list[progress.ProgressColumn] = [
            progress.TextColumn("{task.fields[step].host}", markup=False),
            progress.SpinnerColumn(table_column=Column(no_wrap=True)),
            _Sentence(),
            self._bar,
            progress.TextColumn("{task.fields[amount]}", markup=False),
            _Rate(table_column=Column(no_wrap=True)),
            progress.TimeRemainingColumn(
                compact=True,
                elapsed_when_finished=True,
                table_column=Column(no_wrap=True),
            ),
        ]
        super().__init__(
            *self._all,
            console=console,
            transient=True,
            auto_refresh=False,
            # Output for scripts stays on stdout.
            redirect_stdout=is_drawn(),
        )

    @property
    def _width(self) -> int:
        return self._terminal.width - ECHO

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield the lines, for rich to draw."""
        for lines in super().get_renderables():
            yield Constrain(lines, self._width)

    def make_tasks_table(self, tasks: Iterable[progress.Task]) -> Table:
        """Sort the lines by host: a host keeps its place from step to step."""
        under_way = sorted((task for task in tasks if task.visible), key=_place)
        self._bar.bar_width = self._room(under_way)
        with_bar = self._width >= BARS_FROM
        self.columns = tuple(c for c in self._all if with_bar or c is not self._bar)
        return super().make_tasks_table(under_way)

    def _room(self, tasks: Sequence[progress.Task]) -> int:
        """A bar's width that leaves room for the sentences beside the bar."""
        hosts = max((len(task.fields["step"].host) for task in tasks), default=0)
        words = max((len(task.description) for task in tasks), default=0)
        free = self._width - BESIDES - hosts - words
        return max(SHORTEST_BAR, min(BAR, free))


def _place(task: progress.Task) -> int:
    place: int = task.fields["place"]
    return place


class _Sentence(progress.ProgressColumn):
    """The step's sentence: the only column that is cut where room is scarce."""

    def render(self, task: progress.Task) -> Text:
        return Text(task.description, no_wrap=True, overflow="ellipsis")


class _Rate(progress.TransferSpeedColumn):
    """Bytes a second; empty for a step with another unit."""

    def render(self, task: progress.Task) -> Text:
        step: Step = task.fields["step"]
        return super().render(task) if step.unit == "bytes" else Text("")
