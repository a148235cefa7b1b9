"""The live lines of the steps under way, a line for each."""

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
"""From which width of the terminal on a line has a bar, and of how many characters."""
BESIDES = 40
"""The characters of a line that are neither host, nor what is done, nor bar."""
ECHO = 3
"""What stays free at a line's end: `^C` must not wrap, or lines are left behind."""


class DrawnLines(progress.Progress):
    """The lines, in the hosts' order; bars where there is room."""

    def __init__(self, console: Console) -> None:
        self._terminal = console
        self._bar = progress.BarColumn(BAR)
        self._all: list[progress.ProgressColumn] = [
            progress.TextColumn("{task.fields[step].host}", markup=False),
            progress.SpinnerColumn(table_column=Column(no_wrap=True)),
            _Doing(),
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
            # What scripts read stays on stdout.
            redirect_stdout=is_drawn(),
        )

    @property
    def _width(self) -> int:
        return self._terminal.width - ECHO

    def get_renderables(self) -> Iterable[RenderableType]:
        """The lines, for rich to draw."""
        for lines in super().get_renderables():
            yield Constrain(lines, self._width)

    def make_tasks_table(self, tasks: Iterable[progress.Task]) -> Table:
        """A host keeps its place, whichever step of it began last."""
        under_way = sorted((task for task in tasks if task.visible), key=_place)
        self._bar.bar_width = self._room(under_way)
        with_bar = self._width >= BARS_FROM
        self.columns = tuple(c for c in self._all if with_bar or c is not self._bar)
        return super().make_tasks_table(under_way)

    def _room(self, tasks: Sequence[progress.Task]) -> int:
        """How wide a bar may be, so that the words beside it need no cutting."""
        hosts = max((len(task.fields["step"].host) for task in tasks), default=0)
        words = max((len(task.description) for task in tasks), default=0)
        left = self._width - BESIDES - hosts - words
        return max(SHORTEST_BAR, min(BAR, left))


def _place(task: progress.Task) -> int:
    place: int = task.fields["place"]
    return place


class _Doing(progress.ProgressColumn):
    """What the step does: the one column that is cut short where room is scarce."""

    def render(self, task: progress.Task) -> Text:
        return Text(task.description, no_wrap=True, overflow="ellipsis")


class _Rate(progress.TransferSpeedColumn):
    """How fast, where bytes are counted."""

    def render(self, task: progress.Task) -> Text:
        step: Step = task.fields["step"]
        return super().render(task) if step.unit == "bytes" else Text("")
