"""What the hosts of a run share: one screen while they are worked on, and a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dbpull.console.results import results_of
from dbpull.console.screen import Screen, own_screen, shared_screen

if TYPE_CHECKING:
    from dbpull.console.reporter import Reporter


class HostsDisplay:
    """Keeps the stories of several hosts, each told by a thread of its own."""

    def __init__(self) -> None:
        self.screen: Screen | None = None
        """What all reporters use while hosts share it."""
        self._stories: dict[str, list[Reporter]] = {}

    @contextmanager
    def shared(self, hosts: Sequence[str]) -> Iterator[None]:
        """Let all reporters, of whichever thread, use one screen while in the context.

        A story begun in it by a reporter with a host is kept for the table, also when
        the context was left.
        """
        self._stories = {host: [] for host in hosts}
        screen = shared_screen(tuple(self._stories))
        self.screen = screen
        try:
            with screen.live():
                yield
        finally:
            self.screen = None

    @property
    def tells_the_end(self) -> bool:
        """Whether a table of all hosts will stand for each one's own."""
        return self.screen is not None and len(self._stories) > 1

    def remember(self, reporter: Reporter) -> Screen | None:
        """Keep a host's story where hosts share a screen; returns that screen."""
        if self.screen and reporter.host in self._stories:
            self._stories[reporter.host].append(reporter)
        return self.screen

    def table(self, results: Mapping[str, str]) -> None:
        """Say what became of each host; `results` has a text for each."""
        screen = self.screen or own_screen()
        screen.tabulate(results_of(self._stories, results))


HOSTS_DISPLAY = HostsDisplay()
"""The one board of this process."""
