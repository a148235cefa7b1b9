"""How it went on each host, and what the program ends with."""

from __future__ import annotations

from collections.abc import Mapping

from dbpull.console import BOARD
from dbpull.errors import PullError
from dbpull.errors.remote import SomeHostsFailed


class Outcome:
    """Which hosts there are, and what those that failed ended with."""

    def __init__(self, hosts: Mapping[str, str]) -> None:
        self._hosts = hosts
        self._errors: dict[str, BaseException] = {}

    @property
    def names(self) -> list[str]:
        """The hosts as messages name them."""
        return list(self._hosts.values())

    @property
    def left(self) -> list[str]:
        """The hosts that have not failed, as they were typed."""
        return [typed for typed in self._hosts if typed not in self._errors]

    def add(self, results: Mapping[str, BaseException | None]) -> None:
        """A task has been run: what it ended with on each host."""
        self._errors |= {host: error for host, error in results.items() if error}

    def tell(self) -> None:
        """Show a row for each of several hosts; raise what there is to raise."""
        if len(self._hosts) > 1:
            told = {name: self._told(typed) for typed, name in self._hosts.items()}
            BOARD.table(told)
        for error in self._errors.values():
            if len(self._hosts) == 1 or not isinstance(error, PullError):
                raise error
        if self._errors:
            codes = {getattr(error, "code", 1) for error in self._errors.values()}
            failed = [self._hosts[typed] for typed in self._errors]
            raise SomeHostsFailed(failed, len(self._hosts), code=max(codes))

    def _told(self, typed: str) -> str:
        error = self._errors.get(typed)
        if error is None:
            return "done"
        why = error.what if isinstance(error, PullError) else repr(error)
        return f"failed: {why}"
