"""The outcome of a run on hosts: each host's result, and the program's exit."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from invoke.exceptions import Exit

from dbpull.console import HOSTS_DISPLAY, Reporter
from dbpull.errors import PullError, TaskFailed
from dbpull.errors.hosts import RemoteError
from dbpull.errors.settings import SettingsError
from dbpull.errors.shown import LABEL
from dbpull.errors.sources import NoSource, SourceError

COMMON = SettingsError, NoSource, SourceError
"""Errors that concern all hosts, unless the error names a host."""


class StopRun(Exception):
    """Ends the run: no further task is to begin."""


class HostResults:
    """The hosts of a run, and the errors of the failed hosts."""

    def __init__(self, hosts: Mapping[str, str], *, alone: bool) -> None:
        self.alone = alone
        """Whether all tasks of the run are ours."""
        self._hosts = hosts
        self._errors: dict[str, BaseException] = {}
        self._common: set[str] = set()
        self._telling = threading.Lock()

    @property
    def names(self) -> list[str]:
        """The hosts' names in messages."""
        return list(self._hosts.values())

    @property
    def left(self) -> list[str]:
        """The hosts that have not failed, as typed in -H."""
        return [typed for typed in self._hosts if typed not in self._errors]

    def add(self, results: Mapping[str, BaseException | None]) -> None:
        """Add a task's results: each host's error, or None.

        Raises StopRun where a host has failed and the project's own tasks may follow.
        """
        self._errors |= {host: error for host, error in results.items() if error}
        if self._errors and not self.alone:
            raise StopRun

    def tell_of(self, host: str, error: PullError) -> None:
        """Tell a host's error at once, where the run has several hosts.

        An error of a setting or of Heroku, the same on all hosts, is told once.
        """
        reporter, told = Reporter(host), f"{LABEL} {error}"
        if HOSTS_DISPLAY.tells_the_end:
            with self._telling:
                if not _is_common(error, host):
                    reporter.say(told, "red")
                elif error.what not in self._common:
                    self._common.add(error.what)
                    reporter.for_all.say(told, "red")
        reporter.end()

    def tell(self) -> None:
        """Show a row for each of several hosts; raise the run's error, if any."""
        errors = list(self._errors.values())
        codes = [getattr(error, "code", 1) for error in errors]
        if len(self._hosts) > 1:
            if self._all_alike():
                raise Exit(code=max(codes))
            results = {name: self._result(typed) for typed, name in self._hosts.items()}
            HOSTS_DISPLAY.table(results)
        for error in errors:
            if len(self._hosts) == 1 or not isinstance(error, PullError):
                raise error
        if errors:
            failed = ", ".join(self._hosts[typed] for typed in self._errors)
            raise RemoteError(
                f"{len(errors)} of {len(self._hosts)} hosts failed: {failed}.",
                "Each host's error is above"
                + ("; the others are done." if self.left else "."),
                code=max(codes),
            )

    def _all_alike(self) -> bool:
        """Whether all hosts have failed by the same error, told already."""
        whats = {getattr(error, "what", "") for error in self._errors.values()}
        return not self.left and len(whats) == 1 and whats <= self._common

    def _result(self, typed: str) -> str:
        error = self._errors.get(typed)
        if error is None:
            return "done"
        why = error.what if isinstance(error, PullError) else repr(error)
        return f"failed: {why}"


def _is_common(error: PullError, host: str) -> bool:
    error = error.error if isinstance(error, TaskFailed) else error
    return isinstance(error, COMMON) and host not in error.what
