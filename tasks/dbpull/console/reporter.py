"""The reporter of a run: its messages, its steps, and their times."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

from dbpull.console.chart import Bar, drawn, explained, matter
from dbpull.console.document import USUAL, Output
from dbpull.console.quiet import QuietScreen
from dbpull.console.results import RunRecord
from dbpull.console.screen import HOSTS_DISPLAY, Screen, own_screen
from dbpull.console.step import Step, prefixed
from dbpull.naming import NAME, CommandFor, filled
from dbpull.words import size, span

_QUIET = QuietScreen()
NOTE = "magenta"
"""The style of notes: a colour that is read on white and on black."""


class Reporter(RunRecord):
    """Tells the user of a run; keeps each step's time for the closing table.

    With a host, each line begins with the host's name. While hosts share a screen
    (HOSTS_DISPLAY), every reporter writes to that screen. Of a quiet run nothing is
    told: Invoke prints its error.
    """

    def __init__(
        self,
        host: str = "",
        command_for: CommandFor = NAME.invoke,
        output: Output = USUAL,
    ) -> None:
        super().__init__(host)
        self.output = output
        self.quiet = output.quiet
        self.facts: dict[str, object] = {}
        """What the document of `--json` has beside the steps and times."""
        self._command_for = command_for
        # A host's thread may outlive `shared` (Ctrl-C): it must not open a screen then.
        self._shared = HOSTS_DISPLAY.remember(self) if host else None
        self._own = None if self._shared or HOSTS_DISPLAY.screen else own_screen()
        self.doing = ""
        """The sentence of the step under way, as the step was announced."""
        self._state = ""
        self.kept_on_failure = ""
        """The sentence about the kept part of a download, if the run fails."""

    def on_failure(self, state: str, kept: str = "") -> None:
        """Keep the databases' and the download's state, told if the run fails."""
        self._state, self.kept_on_failure = state, kept

    @property
    def state_on_failure(self) -> str:
        """The databases' and the download's state, for the error that ends the run."""
        return f"{self._state} {self.kept_on_failure}".strip()

    @cached_property
    def for_all(self) -> Reporter:
        """The reporter of steps for all hosts, such as asking Heroku."""
        return Reporter(output=self.output) if self.host else self

    def say(self, text: str, style: str = "") -> None:
        """Print one line, with command lines for its placeholders."""
        self._screen.say(prefixed(self.host, filled(text, self._command_for)), style)

    def note(self, text: str) -> None:
        """Print a note."""
        self.say(f"  {text}", NOTE)

    @contextmanager
    def step(self, name: str, doing: str, unit: str = "") -> Iterator[Step]:
        """Show a step while it lasts, then its time."""
        step = Step(name, doing, unit, self.host)
        with self.underway(step):
            yield step
        self.doing = ""
        self.done(step)

    @contextmanager
    def underway(self, step: Step) -> Iterator[None]:
        """Show a step while it lasts; `done` is not called."""
        self.doing = step.sentence
        with self._screen.shown(step):
            yield

    def done(self, step: Step, ended: float | None = None) -> None:
        """Print that a step is done; another step may still be under way."""
        step.seconds = (ended or time.monotonic()) - step.began
        self.steps.append(step)
        told = filled(step.sentence, self._command_for)
        self._screen.done(f"{told} ({span(step.seconds)})", self.host)

    def tell_slow(self) -> None:
        """Tell in one line of a step that took most of a long run.

        Nothing is told for several hosts: their table has the times of all.
        """
        total = time.monotonic() - self.began
        if matter(self.steps, total) and not HOSTS_DISPLAY.tells_the_end:
            self._screen.say(explained(self.steps, total))

    def timings(
        self, bars: Sequence[Bar], slowest: Sequence[tuple[str, float, int]]
    ) -> None:
        """Tell what took longest, with a chart, the steps' times, and some tables.

        `slowest` has a name, seconds and bytes; those that are not known are 0.
        """
        if HOSTS_DISPLAY.tells_the_end:
            return
        total = time.monotonic() - self.began
        self._screen.say("")
        self._screen.say(explained(self.steps, total), "bold")
        if bars:
            for pieces in drawn(bars, self._screen.width):
                self._screen.draw(pieces)
            self._screen.say("")
        self._table(total, slowest)

    def _table(self, total: float, slowest: Sequence[tuple[str, float, int]]) -> None:
        lines = [(step.name, span(step.seconds), "") for step in self.steps]
        lines.append(("total", span(total), ""))
        for name, seconds, count in slowest:
            took = span(seconds) if seconds else ""
            share = f"{size(count)} of the dump" if count else ""
            lines.append((f"rows of {name}", took, share))
        width = max(len(name) for name, _, _ in lines)
        for name, took, more in lines:
            line = f"  {name:<{width}}  {took or '-':>7}  {more}"
            self._screen.say(line.rstrip())

    @property
    def _screen(self) -> Screen:
        if self.quiet:
            return _QUIET
        screen = self._shared or HOSTS_DISPLAY.screen or self._own
        if screen is None:
            screen = self._own = own_screen()
        return screen
