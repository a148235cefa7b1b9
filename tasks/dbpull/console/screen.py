"""The screen of a run, a terminal or a log; and the one screen that hosts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from dbpull.console.log import Log
from dbpull.console.results import Results, RunRecord, results_of
from dbpull.console.step import Step
from dbpull.console.streams import can_draw


class Screen(Protocol):
    """The protocol that reporters and HostsDisplay write to."""

    @property
    def width(self) -> int:
        """The width of a line, in characters."""

    def say(self, text: str, style: str = "") -> None:
        """Print one line."""

    def done(self, text: str, host: str) -> None:
        """Print the sentence of a finished step."""

    def draw(self, pieces: Sequence[tuple[str, str]]) -> None:
        """Print one line, in pieces with their styles."""

    def shown(self, step: Step) -> AbstractContextManager[None]:
        """Show a step's progress while in the context."""

    def tabulate(self, results: Results) -> None:
        """Print a table, a row per host."""

    def live(self) -> AbstractContextManager[None]:
        """Draw the running steps while in the context, where the screen can draw."""


def own_screen() -> Screen:
    """The screen of a single reporter: one step at a time."""
    if not can_draw():
        return Log()
    # rich takes long to import and is needed on a terminal only.
    from dbpull.console.terminal import Terminal

    return Terminal()


def shared_screen(hosts: Sequence[str]) -> Screen:
    """The screen of all threads; its lines are in the hosts' order."""
    if not can_draw():
        return Log()
    from dbpull.console.shared_terminal import SharedTerminal

    return SharedTerminal(hosts)


class HostsDisplay:
    """Keeps the records of several hosts; each host has a thread of its own."""

    def __init__(self) -> None:
        self.screen: Screen | None = None
        """The screen of all reporters while hosts share it."""
        self._records: dict[str, list[RunRecord]] = {}

    @contextmanager
    def shared(self, hosts: Sequence[str]) -> Iterator[None]:
        """Let the reporters of all threads use one screen while in the context.

        The records of reporters made in the context are kept for the table, also after
        the context.
        """
        self._records = {host: [] for host in hosts}
        screen = shared_screen(tuple(self._records))
        self.screen = screen
        try:
            with screen.live():
                yield
        finally:
            self.screen = None

    @property
    def tells_the_end(self) -> bool:
        """Whether one table of all hosts replaces the closing table of each host."""
        return self.screen is not None and len(self._records) > 1

    def remember(self, record: RunRecord) -> Screen | None:
        """Keep a host's record for the table; return the shared screen, if any."""
        if self.screen and record.host in self._records:
            self._records[record.host].append(record)
        return self.screen

    def table(self, results: Mapping[str, str]) -> None:
        """Print the table of hosts, unless their runs are quiet.

        `results` has a text for each host.
        """
        records = [record for own in self._records.values() for record in own]
        if records and all(record.quiet for record in records):
            return
        screen = self.screen or own_screen()
        screen.tabulate(results_of(self._records, results))


HOSTS_DISPLAY = HostsDisplay()
"""The one display of this process."""
