"""A host as -H names it, and a task that is run on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.connection import Connection, derive_shorthand
from invoke.tasks import Call

from dbpull.console import BOARD, Teller
from dbpull.errors import PullError
from dbpull.errors.remote import AmbiguousHost, HostUnreachable


class Host(Connection):  # type: ignore[misc] # fabric has no types
    """A connection with a method that a group can call for each."""

    typed = ""
    """As -H has it: `ann@devbox:2222`."""

    def __init__(self, typed: str, **more: Any) -> None:
        super().__init__(typed, **more)
        self.typed = typed

    def perform(self, call: Call) -> None:
        """Run a task here; of several hosts each tells its error at once."""
        try:
            call.task(self, *call.args, **call.kwargs)
        except PullError as error:
            if BOARD.tells_the_end:
                Teller(self.original_host).say(str(error), "red")
            raise


def hosts_of(typed: Sequence[str]) -> dict[str, str]:
    """The name of each host that -H names, by how it is typed there; none twice.

    Raises AmbiguousHost, HostUnreachable.
    """
    found: dict[str, str] = {}
    for words in typed:
        if words.strip():
            found[words.strip()] = _name(words.strip())
    names = list(found.values())
    for name in names:
        if names.count(name) > 1:
            raise AmbiguousHost(name, [one for one in found if found[one] == name])
    return found


def _name(typed: str) -> str:
    try:
        return str(derive_shorthand(typed)["host"])
    except ValueError:
        raise HostUnreachable(typed, "that is no host's name and port") from None
