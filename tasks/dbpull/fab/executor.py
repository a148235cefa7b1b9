"""Several hosts at once: how `fab -H devbox,buildbox` runs a task of ours.

Fabric's own executor takes one host after the other, and ends with the first that
fails. This one puts the hosts of a task into a ThreadingGroup; what is not ours it
leaves to Fabric's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fabric.exceptions import GroupException
from fabric.executor import Executor
from fabric.group import ThreadingGroup
from fabric.tasks import ConnectionCall
from invoke.context import Context
from invoke.tasks import Call, Task

from dbpull.console import BOARD
from dbpull.errors import Interrupted
from dbpull.fab.host import Host, hosts_of
from dbpull.fab.outcome import Outcome
from dbpull.signals import SIGNALS, Stopped

OURS = "dbpull.db"


class HostsExecutor(Executor):  # type: ignore[misc] # fabric has no types
    """Runs each task of ours on all its hosts at once, and tells how it went."""

    def execute(self, *tasks: Any) -> Any:
        """Run the tasks in turn; a host that failed is left out of those that follow.

        Raises what the only host ended with, or SomeHostsFailed.
        """
        wanted = self.core[0].args.hosts.value
        if not wanted or not any(map(_is_ours, self.normalize(tasks))):
            return super().execute(*tasks)
        self.outcome = Outcome(hosts_of(wanted.split(",")))
        try:
            with BOARD.shared(self.outcome.names), SIGNALS.awaited():
                results = super().execute(*tasks)
        except Stopped as stopped:  # somebody can't wait for the cleaning up
            raise Interrupted(
                "Stopped at once.",
                "The hosts clear up by themselves.",
                code=stopped.code,
            ) from None
        self.outcome.tell()
        return results

    def expand_calls(
        self,
        calls: Sequence[Any],
        apply_hosts: bool = True,  # noqa: FBT001, FBT002 - Fabric's own signature
    ) -> list[Call]:
        """Make one call for all hosts of what would be one for each."""
        if self.core.remainder:
            return list(super().expand_calls(calls, apply_hosts))
        found: list[Call] = []
        for call in calls:
            each = super().expand_calls([call], apply_hosts)
            for_hosts = [one for one in each if isinstance(one, ConnectionCall)]
            if for_hosts and _is_ours(call):
                each = [HostsCall(for_hosts[0], self.outcome)]
            found += each
        return found


class HostsCall(Call):
    """One call for all the hosts that are still in it."""

    def __init__(self, call: Call, outcome: Outcome) -> None:
        def perform(c: Context) -> None:
            hosts = [Host(name, config=c.config) for name in outcome.left]
            outcome.add(Hosts.from_connections(hosts).perform(call))

        super().__init__(Task(perform, name=call.task.name), called_as=call.called_as)


class Hosts(ThreadingGroup):  # type: ignore[misc]
    """Hosts that do the same at once, each in a thread."""

    def perform(self, call: Call) -> dict[str, BaseException | None]:
        """Run a task on each; what it ended with, by the host as it was typed."""
        try:
            results = self._do("perform", call)
        except GroupException as failed:
            results = failed.result
        return {host.typed: results[host] for host in self}


def _is_ours(call: Any) -> bool:
    task = call.task if isinstance(call, Call) else call
    return getattr(task.body, "__module__", "") == OURS
