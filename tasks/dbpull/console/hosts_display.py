"""The display that the hosts of a run share: one screen, and a closing table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dbpull.console.results import results_of
from dbpull.console.screen import Screen, own_screen, shared_screen

if TYPE_CHECKING:
    from dbpull.console.reporter import Reporter


class HostsDisplay:
    """Keeps the reporters of several hosts; each host has a thread of its own."""

    def __init__(self) -> None:
        self.screen: Screen | None = None
        """The screen of all reporters while hosts share it."""
        self._reporters: dict[str, list[Reporter]] = {}

    @contextmanager
    def shared(self, hosts: Sequence[str]) -> Iterator[None]:
        """Let the reporters of all threads use one screen while in the context.

        A host's reporter that is made in the context stays for the table, also after
        the context.
        """
        self._reporters = {host: [] for host in hosts}
        screen = shared_screen(tuple(self._reporters))
        self.screen = screen
        try:
            with screen.live():
                yield
        finally:
            self.screen = None

    @property
    def tells_the_end(self) -> bool:
        """Whether one table of all hosts replaces the closing table of each host."""
        return self.screen is not None and len(self._reporters) > 1

    def remember(self, reporter: Reporter) -> Screen | None:
        """Keep a host's reporter for the table; return the shared screen, if any."""
        if self.screen and reporter.host in self._reporters:
            self._reporters[reporter.host].append(reporter)
        return self.screen

    def table(self, results: Mapping[str, str]) -> None:
        """Print the table of hosts; `results` has a text for each host."""
        screen = self.screen or own_screen()
        screen.tabulate(results_of(self._reporters, results))


HOSTS_DISPLAY = HostsDisplay()
"""The one display of this process."""
