"""The screen of a run: a terminal, or a log of plain lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from dbpull.console.log import Log
from dbpull.console.results import Results
from dbpull.console.step import Step


class Screen(Protocol):
    """The protocol that reporters and HostsDisplay write to."""

    mark: str
    """The first characters of a line that says that a step is done."""

    def say(self, text: str, style: str = "") -> None:
        """Print one line."""

    def shown(self, step: Step) -> AbstractContextManager[None]:
        """Show a step's progress while in the context."""

    def tabulate(self, results: Results) -> None:
        """Print a table, a row per host."""

    def live(self) -> AbstractContextManager[None]:
        """Draw the running steps while in the context, where the screen can draw."""


def own_screen() -> Screen:
    """The screen of a single reporter: one step at a time."""
    if not sys.stderr.isatty():
        return Log()
    # rich takes long to import and is needed on a terminal only.
    from dbpull.console.terminal import Terminal

    return Terminal()


def shared_screen(hosts: Sequence[str]) -> Screen:
    """The screen of all threads; its lines are in the hosts' order."""
    if not sys.stderr.isatty():
        return Log()
    from dbpull.console.shared_terminal import SharedTerminal

    return SharedTerminal(hosts)
