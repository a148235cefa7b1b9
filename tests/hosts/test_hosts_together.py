"""Several hosts in one run: what they share, and what one's end means to the others."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from documents import documents
from faulty_stand_in import StandIn, faults
from machines import Machine, fab, introduce, start_fab
from projects import Project, Run
from targets import Target
from worlds import World

BOTH = "devbox,ci"
CHAIN = ("db.capture", "db.fetch", "db.restore", "db.cleanup")


@pytest.fixture
def ci(make_machine: Callable[..., Machine]) -> Machine:
    """Another machine with the newest PostgreSQL's programs."""
    return make_machine(name="ci")


@pytest.fixture
def targets(make_target: Callable[..., Target]) -> dict[str, Target]:
    """One for each machine."""
    return {"devbox": make_target(), "ci": make_target()}


@pytest.fixture
def project(
    make_project: Callable[..., Project],
    targets: dict[str, Target],
    devbox: Machine,
    ci: Machine,
) -> Project:
    """A project that names a target for each."""
    made = make_project()
    introduce(Path(made.environment["HOME"]), devbox, ci)
    configure(made, targets)
    return made


def configure(project: Project, targets: dict[str, Target], more: str = "") -> None:
    hosts = "".join(
        f"    {name}: {{target: '{target.url}'}}\n" for name, target in targets.items()
    )
    project.configure(f"db:\n  jobs: 1\n  {more}\n  hosts:\n{hosts}")


def dumps(machine: Machine) -> list[str]:
    """The backups whose dumps lie there, by their ids."""
    there = (machine.home / ".dbpull/dumps").glob("*.dump")
    return sorted(re.findall(r"-(b\d+)-", " ".join(path.name for path in there)))


# What they share


def test_a_capture_that_is_asked_for_is_one(
    world: World, project: Project, heroku: StandIn, targets: dict[str, Target]
) -> None:
    words = ("db.pull", "--app=fresh-at-once", "--capture", "--json")

    ended = fab(project, BOTH, *words).succeeds()

    assert len(heroku.requests(method="POST", path="/backups")) == 1
    assert ended.err.count("Captured ") == 1
    told = documents(ended.out)
    assert sorted((each["host"], each["result"]) for each in told) == [
        ("ci", "replaced"), ("devbox", "replaced"),
    ]  # fmt: skip
    for target in targets.values():
        assert world.modern.picture(target.name) == world.modern.picture("small")


def test_the_steps_one_by_one_are_a_pull_on_each(
    world: World,
    project: Project,
    heroku: StandIn,
    targets: dict[str, Target],
    devbox: Machine,
    ci: Machine,
) -> None:
    configure(project, targets, "app: fresh-by-steps\n  keep: 1")

    ended = fab(project, BOTH, *CHAIN).succeeds()

    assert len(heroku.requests(method="POST", path="/backups")) == 1
    assert ended.err.count("Captured b0") == 1
    for target in targets.values():
        assert world.modern.picture(target.name) == world.modern.picture("small")
    assert dumps(devbox) == dumps(ci)
    assert len(dumps(ci)) == 1


def test_each_task_sees_what_the_one_before_has_changed(
    project: Project,
    heroku: StandIn,
    targets: dict[str, Target],
    devbox: Machine,
    ci: Machine,
) -> None:
    configure(project, targets, "app: two-backups-there")

    fab(project, BOTH, "db.fetch", "db.capture", "db.fetch").succeeds()

    assert len(heroku.requests(method="POST", path="/backups")) == 1
    for machine in (devbox, ci):
        assert len(dumps(machine)) == 2


# What one's end means to the others


def test_a_host_that_fails_at_the_first_task_is_in_none_of_the_others(
    project: Project,
    heroku: StandIn,
    targets: dict[str, Target],
    ci: Machine,
) -> None:
    configure(project, targets, "app: small-eu")
    ci.stop()

    ended = fab(project, BOTH, *CHAIN[1:])

    ended.refuses("1 of 2 hosts failed: ci", "the others are done")
    assert (
        ended.err.count("ci can't be reached: nothing answers") == 2
    )  # also in its row
    assert targets["devbox"].family == {"target", "original"}
    assert targets["ci"].family == {"target"}


def test_all_may_fail_alike(
    project: Project,
    targets: dict[str, Target],
    devbox: Machine,
    ci: Machine,
) -> None:
    for machine in (devbox, ci):
        machine.stop()

    ended = fab(project, BOTH, "db.pull", "--app=shop-eu")

    ended.refuses("2 of 2 hosts failed: devbox, ci", "Each host's error is above")
    rows = re.findall(r"^(\w+) +[\d.]+ s +failed: \1 can't be reached", ended.err, re.M)
    assert rows == ["devbox", "ci"]


def test_two_names_of_one_machine_are_two_hosts(
    project: Project, heroku: StandIn, targets: dict[str, Target], devbox: Machine
) -> None:
    config = Path(project.environment["HOME"]) / ".ssh/config"
    text = config.read_text().replace("Host ci\n", "Host other\n")
    config.write_text(text.replace("Host devbox\n", "Host devbox ci\n"))

    ended = fab(project, BOTH, "db.restore", "--dump=none")

    ended.refuses("2 of 2 hosts failed: devbox, ci", "")
    for name in ("devbox", "ci"):
        assert f"{name}: Error: There is no file none on {name}." in ended.err
    assert "fab -H devbox db.fetch" in ended.err


def test_a_project_s_own_task_follows_on_each(
    project: Project, targets: dict[str, Target], devbox: Machine, ci: Machine
) -> None:
    own = "\n@task\ndef home(c):\n    c.run('echo $HOME')\n\nns.add_task(home)\n"
    tasks = project.folder / "tasks.py"
    tasks.write_text(f"from invoke.tasks import task\n{tasks.read_text()}{own}")

    ended = fab(project, BOTH, "db.cleanup", "home").succeeds()

    assert ended.out == f"{devbox.home}\n{ci.home}\n"


# Ctrl-C


@pytest.fixture
def restoring(project: Project, heroku: StandIn, world: World) -> Run:
    """A pull on both, each in the midst of its restore."""
    run = start_fab(project, BOTH, "db.pull", "--app=slow-index")
    sql = "select count(*) from pg_stat_activity where state = 'active'"
    sql += " and query like 'CREATE INDEX%' and pid <> pg_backend_pid();"
    run.until(lambda: world.modern.sql("postgres", sql) == "2")
    return run


def alone(machine: Machine) -> None:
    machine.settled()
    assert not list((machine.home / ".dbpull").glob("run.*"))


def test_ctrl_c_ends_all_restores_in_order(
    targets: dict[str, Target], devbox: Machine, ci: Machine, restoring: Run
) -> None:
    restoring.signal(signal.SIGINT)

    ended = restoring.end()

    ended.refuses("2 of 2 hosts failed", "Each host's error is above", code=130)
    failed = r"^(\w+) .* failed: Stopped by Ctrl-C while restoring"
    assert re.findall(failed, ended.err, re.M) == ["devbox", "ci"]
    for name in targets:
        assert f"{name}: Error: Stopped by Ctrl-C while restoring" in ended.err
        assert f"{name}: The target is as it was." in ended.err
    for target in targets.values():
        assert (target.family, target.notes) == ({"target"}, "(1,mine)")
    for machine in (devbox, ci):
        alone(machine)


def test_three_end_at_once_and_the_hosts_clear_up(
    targets: dict[str, Target], devbox: Machine, ci: Machine, restoring: Run
) -> None:
    for machine in (devbox, ci):
        machine.freeze()  # so that nothing can be put in order from here
    restoring.hurry()

    ended = restoring.end()

    assert "Traceback" not in ended.err
    ended.refuses("Stopped at once", "hosts clear up by themselves", code=130)
    for machine in (devbox, ci):
        machine.thaw()
        alone(machine)
    for target in targets.values():
        assert (target.family, target.notes) == ({"target"}, "(1,mine)")


def test_ctrl_c_holds_for_the_tasks_that_follow(
    project: Project, heroku: StandIn, targets: dict[str, Target], devbox: Machine
) -> None:
    configure(project, targets, "app: bulk-eu")
    fab(project, "devbox", "db.fetch").succeeds()
    heroku.misbehave(faults.throttle(500_000))
    run = start_fab(project, BOTH, "db.fetch", "db.restore")
    run.says("ci: Fetching")
    run.says("devbox: bulk-eu b001 is there already")

    run.signal(signal.SIGINT)

    run.end().refuses("2 of 2 hosts failed", "", code=130)
    for target in targets.values():
        assert target.family == {"target"}
