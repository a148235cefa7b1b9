"""A host of `fab -H`: its name as typed, its connection, the run of a task on it."""

from __future__ import annotations

from typing import Any

from fabric.connection import Connection, derive_shorthand
from invoke.tasks import Call
from paramiko import SSHException

from dbpull.errors import Interrupted, PullError
from dbpull.errors.hosts import HostUnreachable, RemoteError
from dbpull.fab.outcome import HostResults
from dbpull.hosts.proxy import Proxy
from dbpull.signals import SIGNALS, Stopped

PORTS = range(1, 65536)


class HostConnection(Connection):  # type: ignore[misc] # fabric has no types
    """A connection with the method `perform`, which a group calls for each host."""

    typed: str
    """The host as typed in -H: `ann@devbox:2222`."""
    outcome: HostResults

    # Two names may mean one machine: a group's results have a key for each name.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self, typed: str, config: Any, outcome: HostResults) -> None:
        """Raises HostUnreachable where Fabric can't read ~/.ssh/config."""
        try:
            # A copy: Fabric adds each host's keys to its configuration.
            # No SSH agent is forwarded: no program of ours would use it.
            super().__init__(typed, config=config.clone(), forward_agent=False)
        except (ValueError, KeyError, SSHException) as error:
            why = f"~/.ssh/config has a value for it that can't be used ({error})"
            raise HostUnreachable(name_of(typed), why) from error
        # Set as usual, these attributes would go into the configuration.
        self._set(typed=typed, outcome=outcome)

    def get_gateway(self) -> Any:
        """The jump host; `ProxyJump none` means none, not a host called `none`."""
        if self.ssh_config.get("proxyjump", "").lower() == "none":
            return None
        return super().get_gateway()

    def open_gateway(self) -> Any:
        """The open jump host or ProxyCommand, where the host needs one."""
        if isinstance(self.gateway, str):
            return Proxy(self.gateway, self.host)
        return super().open_gateway()

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
        raise HostUnreachable(typed, "-H names no host", _EXAMPLES)
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


_EXAMPLES = "Name one as ~/.ssh/config does, or its address: fab -H ann@192.0.2.7:2222."


def name_of(typed: str) -> str:
    """A host's name in messages. Raises HostUnreachable for text that is no host."""
    try:
        parts = derive_shorthand(typed)
    except ValueError:
        parts = {"host": None, "port": None}
    if not parts["host"] or parts["port"] not in {None, *PORTS}:
        raise HostUnreachable(typed, "it is no host's name and port", _EXAMPLES)
    return str(parts["host"])
