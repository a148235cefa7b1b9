"""The executor of `fab -H devbox,buildbox`: runs a task of ours on all hosts at once.

Fabric's own executor takes one host after the other, and ends with the first failed
host. Ours puts the hosts of a task into a ThreadingGroup; it leaves a project's own
tasks to Fabric's.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from fabric.exceptions import GroupException
from fabric.executor import Executor
from fabric.group import ThreadingGroup
from fabric.tasks import ConnectionCall
from invoke.context import Context
from invoke.tasks import Call, Task

from dbpull.console import HOSTS_DISPLAY
from dbpull.errors import Interrupted
from dbpull.fab.host import HostConnection, hosts_of
from dbpull.fab.outcome import HostResults, StopRun
from dbpull.signals import SIGNALS, Stopped

OURS = (
    "dbpull.db",
    "dbpull.local_tasks",
    "dbpull.mask_tasks",
    "dbpull.snapshot_tasks",
    "dbpull.status_tasks",
)


class HostsExecutor(Executor):  # type: ignore[misc] # fabric has no types
    """Runs each task of ours on all its hosts at once, and tells the results."""

    outcome: HostResults | None = None
    """The results of our tasks on hosts; None where none of our tasks has hosts."""

    def execute(self, *tasks: Any) -> Any:
        """Run the tasks in turn; a failed host is left out of the following tasks.

        A project's own task is begun only where no task has failed before, as Fabric
        does. Raises the error of the only host, or RemoteError.
        """
        hosts = self.core[0].args.hosts.value
        wanted = [call.task for call in self.normalize(tasks)]
        if not hosts or self.core.remainder or not any(map(is_ours, wanted)):
            return super().execute(*tasks)
        # The project adds no task before or after ours.
        alone = all(is_ours(task) and not (task.pre or task.post) for task in wanted)
        self.outcome = HostResults(hosts_of(hosts), alone=alone)
        results: dict[Task[Any], Any] = {}
        try:
            with (
                HOSTS_DISPLAY.shared(self.outcome.names),
                _heard(here=self.outcome.alone),
            ):
                results = super().execute(*tasks)
        except StopRun:
            pass  # the outcome has the reason
        except Stopped as stopped:  # the user does not wait for the clean-up
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
        """Make one call for all hosts, in place of a call for each host."""
        if not self.outcome:
            return list(super().expand_calls(calls, apply_hosts))
        found: list[Call] = []
        for call in calls:
            each = super().expand_calls([call], apply_hosts)
            task = call.task if isinstance(call, Call) else call
            found += _together(task, each, self.outcome) if is_ours(task) else each
        return found


class HostsCall(Call):
    """One call of a task for all hosts that have not failed."""

    def __init__(self, call: Call, outcome: HostResults) -> None:
        def perform(c: Context) -> None:
            hosts = [HostConnection(name, c.config, outcome) for name in outcome.left]
            with _heard(here=not outcome.alone):
                results = HostGroup.from_connections(hosts).perform(call)
            outcome.add(results)

        super().__init__(Task(perform, name=call.task.name), called_as=call.called_as)


class HostGroup(ThreadingGroup):  # type: ignore[misc]
    """Hosts that run the same task at once, each in a thread."""

    def perform(self, call: Call) -> dict[str, BaseException | None]:
        """Run a task on each host; return each host's error, by its name in -H."""
        try:
            results = SIGNALS.during(lambda: self._do("perform", call))
        except GroupException as failed:
            results = failed.result
        return {host.typed: results[host] for host in self}


def is_ours(task: Task[Any]) -> bool:
    """Whether the task is one of dbpull's."""
    return getattr(task.body, "__module__", "") in OURS


def _together(
    task: Task[Any], each: Sequence[Call], outcome: HostResults
) -> list[Call]:
    """Replace the calls for each host by one; keep the calls before and after."""
    for_hosts = [
        call for call in each if isinstance(call, ConnectionCall) and call.task is task
    ]
    found = [call for call in each if not any(call is host for host in for_hosts)]
    if for_hosts:
        place = next(n for n, call in enumerate(each) if call is for_hosts[0])
        found.insert(place, HostsCall(for_hosts[0], outcome))
    return found


def _heard(*, here: bool) -> AbstractContextManager[None]:
    """Have signals wait for the hosts where `here`.

    During the whole run where all tasks are ours: a Ctrl-C between two tasks must not
    get lost. Else during our tasks alone: other tasks don't check for signals.
    """
    return SIGNALS.awaited() if here else nullcontext()
