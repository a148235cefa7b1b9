"""How it ended on each host."""

from __future__ import annotations

from fabric.config import Config
from invoke.collection import Collection
from invoke.tasks import Call, Task

from dbpull import db
from dbpull.errors.settings import SettingsError
from dbpull.fab.executor import HostGroup, is_ours
from dbpull.fab.host import HostConnection, hosts_of
from dbpull.fab.outcome import HostResults

# The parts


def test_two_names_of_one_machine_have_each_an_end_of_their_own() -> None:
    outcome = HostResults(hosts_of("here:22,ann@there:22"), alone=True)
    config = Config(overrides={"user": "ann", "load_ssh_configs": False})
    hosts = [HostConnection(typed, config, outcome) for typed in outcome.left]
    for host in hosts:
        host.host = "192.0.2.7"

    def work(c: HostConnection) -> None:
        if c.typed == "here:22":
            raise SettingsError("no")

    results = HostGroup.from_connections(hosts).perform(Call(Task(work)))

    assert isinstance(results["here:22"], SettingsError)
    assert results["ann@there:22"] is None


def test_each_task_of_ours_is_known_as_ours() -> None:
    tasks = Collection.from_module(db).tasks.values()

    assert len({task.body.__module__ for task in tasks}) > 1
    assert all(map(is_ours, tasks))
