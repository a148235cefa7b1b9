"""The live lines of a terminal that hosts share: a line for each running step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich import progress
from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.table import Column, Table
from rich.text import Text

from dbpull.console.stdout import is_drawn
from dbpull.console.step import Step
from dbpull.console.terminal import BAR

BARS_FROM, SHORTEST_BAR = 72, 10
"""The narrowest terminal whose lines have a bar; the shortest bar, in characters."""
BESIDES = 40
"""The characters of a line beside its host, its sentence and its bar."""
ECHO = 3
"""Free characters at a line's end: `^C` must not wrap, or lines are left behind."""


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
    """The step's sentence: the one column that is cut short where room is scarce."""

    def render(self, task: progress.Task) -> Text:
        return Text(task.description, no_wrap=True, overflow="ellipsis")


class _Rate(progress.TransferSpeedColumn):
    """Bytes a second; empty for a step with another unit."""

    def render(self, task: progress.Task) -> Text:
        step: Step = task.fields["step"]
        return super().render(task) if step.unit == "bytes" else Text("")
