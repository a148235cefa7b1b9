"""A host as -H names it, and a task that is run on it."""

from __future__ import annotations

from typing import Any

from fabric.connection import Connection, derive_shorthand
from invoke.tasks import Call
from paramiko import SSHException

from dbpull.errors import Interrupted, PullError
from dbpull.errors.hosts import AmbiguousHost, HostUnreachable
from dbpull.fab.outcome import Outcome
from dbpull.fab.proxy import Proxy
from dbpull.signals import SIGNALS, Stopped

PORTS = range(1, 65536)


class Host(Connection):  # type: ignore[misc] # fabric has no types
    """A connection with a method that a group can call for each."""

    typed: str
    """As -H has it: `ann@devbox:2222`."""
    outcome: Outcome

    # Two names may mean one machine: as keys of a group's results they are two.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self, typed: str, config: Any, outcome: Outcome) -> None:
        """Raises HostUnreachable where ~/.ssh/config has what Fabric can't read."""
        try:
            # A copy: Fabric adds each host's keys to the configuration that it gets.
            # No agent goes along: nothing that we run there would ask it.
            super().__init__(typed, config=config.clone(), forward_agent=False)
        except (ValueError, KeyError, SSHException) as error:
            why = f"~/.ssh/config has a value for it that can't be used ({error})"
            raise HostUnreachable(name_of(typed), why) from error
        # Set as usual, these would go into the configuration.
        self._set(typed=typed, outcome=outcome)

    def get_gateway(self) -> Any:
        """The machine to go through; `ProxyJump none` is none, not one of that name."""
        if self.ssh_config.get("proxyjump", "").lower() == "none":
            return None
        return super().get_gateway()

    def open_gateway(self) -> Any:
        """What leads to it, where something must."""
        if isinstance(self.gateway, str):
            return Proxy(self.gateway, self.host)
        return super().open_gateway()

    def perform(self, call: Call) -> None:
        """Run a task here; of several hosts each tells its error at once."""
        try:
            # Before a task's own story begins: the host is being reached.
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
    """The name of each host in -H, by how it is typed there; none twice.

    Raises AmbiguousHost, HostUnreachable.
    """
    words = [word.strip() for word in typed.split(",") if word.strip()]
    if not words:
        raise HostUnreachable(typed, "-H names no host", _EXAMPLES)
    found = {word: name_of(word) for word in words}
    names = list(found.values())
    for name in names:
        if names.count(name) > 1:
            raise AmbiguousHost(name, [one for one in found if found[one] == name])
    return found


_EXAMPLES = "Name one as ~/.ssh/config does, or its address: fab -H ann@192.0.2.7:2222."


def name_of(typed: str) -> str:
    """A host's name as messages have it. Raises HostUnreachable where there is none."""
    try:
        parts = derive_shorthand(typed)
    except ValueError:
        parts = {"host": None, "port": None}
    if not parts["host"] or parts["port"] not in {None, *PORTS}:
        raise HostUnreachable(typed, "that is no host's name and port", _EXAMPLES)
    return str(parts["host"])
