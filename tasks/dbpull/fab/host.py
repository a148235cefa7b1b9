"""A host of `fab -H`: its name as typed, its connection, the run of a task on it."""

from __future__ import annotations

from typing import Any

from invoke.tasks import Call

from dbpull.errors import Interrupted, PullError
from dbpull.errors.hosts import HostUnreachable, RemoteError
from dbpull.fab.outcome import HostResults
from dbpull.hosts.connection import EXAMPLES, SshConnection, name_of
from dbpull.signals import SIGNALS, Stopped


class HostConnection(SshConnection):
    """A connection with the method `perform`, which a group calls for each host."""

    typed: str
    """The host as typed in -H: `ann@devbox:2222`."""
    outcome: HostResults

    # Two names may mean one machine: a group's results have a key for each name.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self, typed: str, config: Any, outcome: HostResults) -> None:
        """Raises HostUnreachable where Fabric can't read ~/.ssh/config."""
        # A copy: Fabric adds each host's keys to its configuration.
        super().__init__(typed, config.clone())
        # Set as usual, these attributes would go into the configuration.
        self._set(typed=typed, outcome=outcome)

    def perform(self, call: Call) -> None:
        """Run a task on the host; in a run on several hosts, tell its error at once."""
        try:
            # Handled here already: the task's own `handled` begins after connecting.
            with SIGNALS.handled():
                call.task(self, *call.args, **call.kwargs)
        except Stopped as stopped:
            error = Interrupted("Stopped while connecting.", code=stopped.code)
            self.outcome.tell_of(self.original_host, error)
            raise error from None
        except PullError as error:
            self.outcome.tell_of(self.original_host, error)
            raise


def hosts_of(typed: str) -> dict[str, str]:
    """The name of each host in -H, by the host as typed; no name twice.

    Raises HostUnreachable, RemoteError.
    """
    words = [word.strip() for word in typed.split(",") if word.strip()]
    if not words:
        raise HostUnreachable(typed, "-H names no host", EXAMPLES)
    found = {word: name_of(word) for word in words}
    names = list(found.values())
    for name in names:
        if names.count(name) > 1:
            same = ", ".join(word for word in found if found[word] == name)
            raise RemoteError(
                f"-H names {name} more than once: {same}.",
                "Name it once; or give each a name of its own in ~/.ssh/config.",
            )
    return found
