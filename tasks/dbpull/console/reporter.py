"""A run's story: what it says, its steps, and how long they took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

from dbpull.console.chart import Bar, drawn
from dbpull.console.hosts_display import HOSTS_DISPLAY
from dbpull.console.screen import Screen, own_screen
from dbpull.console.step import Step, prefixed
from dbpull.naming import NAME
from dbpull.words import size, span


class Reporter:
    """Tells a run's story; keeps each step's time for the closing table.

    With a host, each line begins with its name. While hosts share the board's screen,
    every reporter tells there.
    """

    host: str = ""
    backup: str = ""
    """What is pulled: `b101`."""
    size: int | None = None
    """The dump's bytes, once known."""

    def __init__(self, host: str = "") -> None:
        self.host = host
        # A host's thread may outlive the sharing (Ctrl-C): it draws nothing of its own.
        self._theirs = HOSTS_DISPLAY.remember(self) if host else None
        self._own = None if self._theirs or HOSTS_DISPLAY.screen else own_screen()
        self.steps: list[Step] = []
        self.doing = ""
        """What is under way, as the step was announced."""
        self.began = time.monotonic()
        """When it began (of time.monotonic)."""
        self._ended: float | None = None
        self.state_on_failure = ""
        """How things stand, for the error that ends the run."""

    @cached_property
    def for_all(self) -> Reporter:
        """Who tells what concerns all hosts, such as asking Heroku."""
        return Reporter() if self.host else self

    def say(self, text: str, style: str = "") -> None:
        """One line."""
        self._screen.say(prefixed(self.host, NAME.in_commands(text)), style)

    def note(self, text: str) -> None:
        """Something to know, that stops nothing."""
        self.say(f"  {text}", "yellow")

    @contextmanager
    def step(self, name: str, doing: str, unit: str = "") -> Iterator[Step]:
        """Tell of a step while it lasts, and how long it took."""
        step = Step(name, doing, unit, self.host)
        self.doing = doing
        with self._screen.shown(step):
            yield step
        self.doing = ""
        self.done(step)

    def done(self, step: Step, ended: float | None = None) -> None:
        """Tell that a step is done, be it while another is still under way."""
        step.seconds = (ended or time.monotonic()) - step.began
        self.steps.append(step)
        self.say(f"{self._screen.mark}{step.sentence} ({span(step.seconds)})")

    def closing_table(self, slowest: Sequence[tuple[str, float, int]]) -> None:
        """The steps' times; under them the slowest tables (name, seconds, bytes).

        Neither seconds nor bytes need be known: 0 then.

        Of several hosts nothing is said: the board's table tells of all.
        """
        if HOSTS_DISPLAY.tells_the_end:
            return
        lines = [(step.name, span(step.seconds), "") for step in self.steps]
        lines.append(("total", span(time.monotonic() - self.began), ""))
        for name, seconds, part in slowest:
            took = span(seconds) if seconds else ""
            share = f"{size(part)} of the dump" if part else ""
            lines.append((f"rows of {name}", took, share))
        width = max(len(name) for name, _, _ in lines)
        self._screen.say("")
        for name, took, more in lines:
            line = f"  {name:<{width}}  {took or '-':>7}  {more}"
            self._screen.say(line.rstrip(), "dim")

    def chart(self, bars: Sequence[Bar]) -> None:
        """Draw what ran when, and name what took longest; of several hosts nothing."""
        if bars and not HOSTS_DISPLAY.tells_the_end:
            self._screen.say("")
            for line, style in drawn(bars):
                self._screen.say(line, style)

    def end(self) -> None:
        """The story is over; only the first time counts."""
        if self._ended is None:
            self._ended = time.monotonic()

    @property
    def ended(self) -> float:
        """When it ended (of time.monotonic); now, while it goes on."""
        return time.monotonic() if self._ended is None else self._ended

    @property
    def _screen(self) -> Screen:
        screen = self._theirs or HOSTS_DISPLAY.screen or self._own
        if screen is None:
            screen = self._own = own_screen()
        return screen
