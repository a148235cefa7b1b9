"""Where a story is shown: a terminal, or what only takes plain lines."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from dbpull.console.log import Log
from dbpull.console.results import Results
from dbpull.console.step import Step


class Screen(Protocol):
    """What a reporter and the board ask of it."""

    mark: str
    """What a line begins with that tells of something done."""

    def say(self, text: str, style: str = "") -> None:
        """One line."""

    def shown(self, step: Step) -> AbstractContextManager[None]:
        """Show a step's progress while in the context."""

    def tabulate(self, results: Results) -> None:
        """A table, a row per host."""

    def live(self) -> AbstractContextManager[None]:
        """Show what is under way while in the context, where it can be drawn."""


def own_screen() -> Screen:
    """A reporter's own, for one thing at a time."""
    if not sys.stderr.isatty():
        return Log()
    # rich takes long to import and is needed on a terminal only.
    from dbpull.console.terminal import Terminal

    return Terminal()


def shared_screen(hosts: Sequence[str]) -> Screen:
    """One for all threads; its lines come in the hosts' order."""
    if not sys.stderr.isatty():
        return Log()
    from dbpull.console.shared_terminal import SharedTerminal

    return SharedTerminal(hosts)
