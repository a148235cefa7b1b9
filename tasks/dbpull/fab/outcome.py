"""How it went on each host, and what the program ends with."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from invoke.exceptions import Exit

from dbpull.console import HOSTS_DISPLAY, Reporter
from dbpull.errors import PullError
from dbpull.errors.hosts import SomeHostsFailed

COMMON = "dbpull.errors.settings", "dbpull.errors.heroku"
"""Where errors are from that concern all hosts, unless they name one."""


class StopRun(Exception):
    """No task is to be begun any more."""


class Outcome:
    """Which hosts there are, and what those that failed ended with."""

    def __init__(self, hosts: Mapping[str, str], *, alone: bool) -> None:
        self.alone = alone
        """Whether all that is run is ours."""
        self._hosts = hosts
        self._errors: dict[str, BaseException] = {}
        self._common: set[str] = set()
        self._telling = threading.Lock()

    @property
    def names(self) -> list[str]:
        """The hosts as messages name them."""
        return list(self._hosts.values())

    @property
    def left(self) -> list[str]:
        """The hosts that have not failed, as they were typed."""
        return [typed for typed in self._hosts if typed not in self._errors]

    def add(self, results: Mapping[str, BaseException | None]) -> None:
        """A task has been run: what it ended with on each host.

        Raises Enough where something failed that others' tasks may build upon.
        """
        self._errors |= {host: error for host, error in results.items() if error}
        if self._errors and not self.alone:
            raise StopRun

    def tell_of(self, host: str, error: PullError) -> None:
        """Of several hosts, tell at once why one failed.

        What was typed wrongly and what Heroku refuses is told once for all.
        """
        reporter = Reporter(host)
        if HOSTS_DISPLAY.tells_the_end:
            with self._telling:
                if not _is_common(error, host):
                    reporter.say(str(error), "red")
                elif error.what not in self._common:
                    self._common.add(error.what)
                    reporter.for_all.say(str(error), "red")
        reporter.end()

    def tell(self) -> None:
        """Show a row for each of several hosts; raise what there is to raise."""
        errors = list(self._errors.values())
        codes = [getattr(error, "code", 1) for error in errors]
        if len(self._hosts) > 1:
            if self._all_alike():
                raise Exit(code=max(codes))
            told = {name: self._told(typed) for typed, name in self._hosts.items()}
            HOSTS_DISPLAY.table(told)
        for error in errors:
            if len(self._hosts) == 1 or not isinstance(error, PullError):
                raise error
        if errors:
            failed = [self._hosts[typed] for typed in self._errors]
            raise SomeHostsFailed(failed, len(self._hosts), code=max(codes))

    def _all_alike(self) -> bool:
        """Whether one sentence, which has been told, is all there is to tell."""
        whats = {getattr(error, "what", "") for error in self._errors.values()}
        return not self.left and len(whats) == 1 and whats <= self._common

    def _told(self, typed: str) -> str:
        error = self._errors.get(typed)
        if error is None:
            return "done"
        why = error.what if isinstance(error, PullError) else repr(error)
        return f"failed: {why}"


def _is_common(error: PullError, host: str) -> bool:
    return type(error).__module__.startswith(COMMON) and host not in error.what
