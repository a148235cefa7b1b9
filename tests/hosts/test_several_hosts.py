"""`fab -H devbox,buildbox …`: all at once, one backup for all, a row for each."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from databases import NO_OLD, OLD
from faulty_stand_in import StandIn, faults
from machines import Machine, fab, introduce, start_fab
from projects import Ended, Project
from targets import Target
from worlds import World

pytestmark = pytest.mark.skipif(not OLD, reason=NO_OLD)
BOTH = "devbox,buildbox"
ON_OLD = f"--app=on-{OLD}", "--backup=b001"
"""A dump that both machines' pg_restore can read."""


@pytest.fixture
def targets(world: World, make_target: Callable[..., Target]) -> dict[str, Target]:
    """One for each machine, on a server of its own."""
    return {"devbox": make_target(), "buildbox": make_target(world.others[int(OLD)])}


@pytest.fixture
def project(
    make_project: Callable[..., Project],
    targets: dict[str, Target],
    devbox: Machine,
    buildbox: Machine,
) -> Project:
    """A project that names a target for each."""
    made = make_project()
    introduce(Path(made.environment["HOME"]), devbox, buildbox)
    hosts = "".join(
        f"    {name}: {{target: '{target.url}'}}\n" for name, target in targets.items()
    )
    made.configure(f"db:\n  apps: {{staging: shop-eu}}\n  hosts:\n{hosts}")
    return made


def rows(ended: Ended) -> dict[str, str]:
    """What the table says of each host."""
    found = re.findall(
        r"^(devbox|buildbox|nobody) .*?(done|failed: .*)$", ended.err, re.M
    )
    return dict(found)


def test_both_become_equal_to_the_source_from_one_backup(
    world: World, project: Project, heroku: StandIn, targets: dict[str, Target]
) -> None:
    ended = fab(project, BOTH, "db.pull", *ON_OLD, "--delete").succeeds()

    programs = world.modern.folder
    source = world.others[int(OLD)].likeness("shop", programs)
    for target in targets.values():
        assert target.postgres.likeness(target.name, programs) == source
        assert target.family == {"target", "original"}
    assert rows(ended) == {"devbox": "done", "buildbox": "done"}
    assert heroku.requests(method="POST", path="/backups") == []
    assert len(heroku.requests(method="GET", path="/transfers")) == 1


def test_hosts_that_fail_do_not_stop_the_others(
    project: Project, targets: dict[str, Target], buildbox: Machine
) -> None:
    # Only an older pg_restore is there, for a dump by the newer pg_dump.
    ended = fab(project, "nobody,devbox,buildbox", "db.pull", "--app=small-eu")

    cause = "2 of 3 hosts failed: nobody, buildbox"
    ended.refuses(cause, "Each host's error is above")
    assert rows(ended)["devbox"] == "done"
    assert "nobody can't be reached" in rows(ended)["nobody"]
    assert rows(ended)["buildbox"].startswith("failed: The dump is an archive of")
    assert ended.err.count("postgresql-client-17") == 1
    assert targets["devbox"].family == {"target", "original"}
    assert targets["buildbox"].family == {"target"}
    buildbox.settled()


def test_the_same_host_twice_is_one(
    project: Project, heroku: StandIn, targets: dict[str, Target]
) -> None:
    ended = fab(project, "devbox,,devbox", "db.fetch", "--app=small-eu").succeeds()

    assert ended.err.count("Fetched") == 1
    ended = fab(project, "devbox,root@devbox", "db.fetch", "--app=staging")
    ended.refuses("-H names devbox more than once: devbox, root@devbox", "Name it once")


def test_two_hosts_with_one_target_can_not_both_have_it(
    project: Project, heroku: StandIn, targets: dict[str, Target]
) -> None:
    url = targets["devbox"].url
    heroku.misbehave(faults.hang(at=60_000, host="download", times=None))

    run = start_fab(project, BOTH, "db.pull", *ON_OLD, f"--target={url}")
    run.says("is being replaced already, by dbpull of ")
    heroku.behave()
    ended = run.end()

    assert ended.code == 1
    assert sorted(told[:6] for told in rows(ended).values()) == ["done", "failed"]
    assert targets["devbox"].family == {"target", "original"}


def test_a_refusal_of_herokus_is_told_once(
    project: Project, heroku: StandIn, targets: dict[str, Target]
) -> None:
    ended = fab(project, BOTH, "db.pull", "--app=nowhere")

    ended.refuses("Heroku knows no app called 'nowhere'", "Check the spelling")
    assert ended.err.count("Heroku knows no app") == 1
    for target in targets.values():
        assert target.family == {"target"}


def test_a_connection_that_is_lost_is_one_hosts_affair(
    project: Project,
    heroku: StandIn,
    targets: dict[str, Target],
    buildbox: Machine,
) -> None:
    heroku.misbehave(faults.throttle(10_000))
    run = start_fab(project, BOTH, "db.pull", *ON_OLD)
    run.until(lambda: run.err.count("restoring its rows") == 2)
    buildbox.cut()
    run.says("SSH connection to buildbox was lost")
    heroku.behave()

    ended = run.end()

    ended.refuses("1 of 2 hosts failed: buildbox", "others are done")
    assert targets["devbox"].family == {"target", "original"}
    buildbox.settled()
    theirs = targets["buildbox"]
    assert (theirs.family, theirs.notes) == ({"target"}, "(1,mine)")


def test_plans_of_both_change_nothing(
    project: Project, heroku: StandIn, targets: dict[str, Target]
) -> None:
    with targets["devbox"].unasked(), targets["buildbox"].unasked():
        ended = fab(project, BOTH, "db.pull", *ON_OLD, "--dry-run").succeeds()

    for name, target in targets.items():
        assert f"{name}:   to    {target.name} on {name}" in ended.err
