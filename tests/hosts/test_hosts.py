"""`fab -H devbox …`: every task, on a real machine over SSH."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from faulty_stand_in import StandIn, faults
from machines import Machine, fab, introduce, start_fab
from projects import Project
from tap import Tap
from targets import Target
from worlds import BLOBS, World

DUMPS = ".dbpull/dumps"


@pytest.fixture
def project(project: Project, devbox: Machine) -> Project:
    """One whose user knows the machine."""
    introduce(Path(project.environment["HOME"]), devbox)
    return project


def dumps(machine: Machine, folder: str = DUMPS) -> list[str]:
    """The names of the dumps, parts and journals on a machine."""
    there = machine.inside(machine.home / folder)
    return sorted(path.name for path in there.glob("*") if path.name[0] != ".")


def test_the_target_becomes_equal_to_the_source_and_undo_brings_the_old_one_back(
    world: World, project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    old = target.oid

    ended = fab(project, "devbox", "db.pull", "--app=staging", "--delete").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture("shop")
    assert target.family == {"target", "original"}
    assert dumps(devbox) == []
    assert project.dumps() == []
    assert "`fab -H devbox db.undo` brings the old one back." in ended.err
    fab(project, "devbox", "db.undo").succeeds()
    assert (target.oid, target.notes) == (old, "(1,mine)")
    devbox.settled()
    assert not list((devbox.home / ".dbpull").glob("run.*"))


def test_ones_own_database_comes_back_after_two_pulls(
    project: Project, target: Target, devbox: Machine
) -> None:
    own, pull = target.oid, ("db.pull", "--app=staging")

    told = [fab(project, "devbox", *pull).succeeds().err for _ in "12"]

    original = f"{target.name}__dbpull_original"
    assert f"is kept as {original}: `fab -H devbox db.undo --original`" in told[0]
    fab(project, "devbox", "db.undo", "--original").succeeds()
    assert (target.oid, target.notes) == (own, "(1,mine)")
    told = [fab(project, "devbox", "db.snapshot", "mine").succeeds().err]
    assert "`fab -H devbox db.reset --to=mine` brings it back" in told[0]
    fab(project, "devbox", "db.undo").succeeds()
    fab(project, "devbox", "db.reset", "--to=mine").succeeds()
    assert target.notes == "(1,mine)"
    rows = fab(project, "devbox", "db.snapshots").succeeds().out
    assert "\ndevbox\tmine\t" in rows
    fab(project, "devbox", "db.snapshot", "mine", "--drop").succeeds()
    fab(project, "devbox", "db.undo").succeeds()
    fab(project, "devbox", "db.cleanup", "--original").succeeds()
    assert target.family == {"target"}


def test_a_dump_is_for_its_owner_and_listed_and_is_not_fetched_again(
    project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    fab(project, "devbox", "db.fetch", "--app=staging").succeeds()
    [name] = dumps(devbox)
    there = devbox.home / DUMPS / name
    assert there.stat().st_mode & 0o777 == 0o600
    assert there.parent.stat().st_mode & 0o777 == 0o700
    assert (there.parent / ".gitignore").read_text() == "*\n"
    listed = fab(project, "devbox", "db.backups", "--app=staging").succeeds()
    [line] = [line for line in listed.out.splitlines() if "b101" in line]
    host, backup, *_, path = line.split("\t")
    assert (host, backup) == ("devbox", "b101")
    assert path.startswith(f"devbox:{devbox.home}/{DUMPS}/shop-eu-b101-")
    assert f"{target.name} on devbox" in listed.err
    assert "was not filled by dbpull" in listed.err
    app = "--app=staging"
    looked = fab(project, "devbox", "db.doctor", app, "db.status", app)
    assert "devbox: ✓ source    shop-eu\n" in looked.succeeds().out
    assert "devbox: ✓ dump      shop-eu b101 can be restored, by pg_rest" in looked.out
    assert f"devbox: target  {target.name} on devbox" in looked.out
    assert f"devbox: dumps   1 dump in devbox:{there.parent}, 121 kB; " in looked.out
    heroku.forget_requests()

    ended = fab(project, "devbox", "db.pull", "--app=staging").succeeds()

    assert heroku.total("download").requests == 0
    assert f"shop-eu b101 is there already: 121 kB in {there}" in ended.err
    assert target.family == {"target", "original"}


def test_a_dump_that_lies_there_is_restored_by_name(
    world: World, project: Project, target: Target, devbox: Machine
) -> None:
    world.modern.dump("shop", devbox.home / "some dump")

    fab(project, "devbox", "db.restore", "--dump=some dump").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture("shop")


def test_a_plan_tells_and_does_nothing(
    project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    with target.unasked():
        ended = fab(
            project, "devbox", "db.pull", "--app=staging", "--dry-run"
        ).succeeds()

    assert heroku.total("download").requests == 0
    assert dumps(devbox) == []
    for told in (
        f"devbox:{devbox.home}/{DUMPS}/shop-eu-b101-",
        f"{target.name} on devbox",
        "curl of that URL on devbox",
        "(while it arrives slowly; else section by section)",
        "--section=data",
        "--section=post-data",
    ):
        assert told in ended.err


def test_the_hosts_own_target_and_folder_win_and_may_have_any_name(
    world: World,
    make_project: Callable[..., Project],
    make_target: Callable[..., Target],
    devbox: Machine,
) -> None:
    name = "Übler \"Name\" mit 'Strichen' & $HOME =%/ \\"
    mine, theirs = make_target(), make_target(name=name)
    project = make_project(DATABASE_URL=mine.url)
    introduce(Path(project.environment["HOME"]), devbox)
    folder = 'Dämp\'s "$HOME" * ; &'
    project.configure(
        "db:\n  apps: {staging: shop-eu}\n  hosts:\n    devbox:\n"
        f"      target: {json.dumps(theirs.url)}\n      path: {json.dumps(folder)}\n"
    )

    before = mine.oid

    fab(project, "devbox", "db.pull", "--app=staging").succeeds()

    assert (mine.oid, mine.notes) == (before, "(1,mine)")
    assert world.modern.picture(theirs.name) == world.modern.picture("shop")
    assert theirs.family == {"target", "original"}
    assert [name[:12] for name in dumps(devbox, folder)] == ["shop-eu-b101"]


def test_a_host_with_dash_and_without_sftp_will_do(
    world: World,
    project: Project,
    target: Target,
    make_machine: Callable[..., Machine],
) -> None:
    machine = make_machine(name="plain", login_shell="dash", sftp=False)
    introduce(Path(project.environment["HOME"]), machine)

    fab(project, "plain", "db.pull", "--app=staging").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture("shop")


def test_rows_are_restored_while_a_slow_dump_arrives_and_not_by_way_of_this_machine(
    world: World, project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    heroku.misbehave(faults.throttle(1_000_000))
    size = (world.dumps / "bulk.dump").stat().st_size
    with Tap(devbox) as tap:
        introduce(Path(project.environment["HOME"]), tap.machine)

        run = start_fab(project, "devbox", "db.pull", "--app=bulk-eu")
        run.says("restoring its rows")
        heroku.behave()
        ended = run.end().succeeds()

    assert "Fetched bulk-eu b001, its rows are in" in ended.err
    assert target.sql(BLOBS) == world.modern.sql("bulk", BLOBS)
    assert 10_000 < tap.passed < size / 20
    assert heroku.total("download").sent < size * 1.01


def test_the_target_is_refilled_in_place_after_the_whole_dump_is_there(
    world: World, project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    heroku.misbehave(faults.throttle(20_000_000))

    words = ("db.pull", "--app=bulk-eu", "--in-place")
    ended = fab(project, "devbox", *words).succeeds()

    assert "its rows are in" not in ended.err
    assert target.sql(BLOBS) == world.modern.sql("bulk", BLOBS)
    assert target.family == {"target"}


def test_upload_fetches_here_once_and_sends(
    world: World,
    project: Project,
    heroku: StandIn,
    target: Target,
    make_machine: Callable[..., Machine],
) -> None:
    machine = make_machine(name="offline", without=("curl",))
    introduce(Path(project.environment["HOME"]), machine)

    words = ("db.pull", "--app=staging", "--upload", "--delete")
    fab(project, "offline", *words).succeeds()

    assert world.modern.picture(target.name) == world.modern.picture("shop")
    assert dumps(machine) == []
    assert project.dumps() == []


def test_an_upload_leaves_the_dumps_here_that_it_did_not_fetch(
    project: Project, target: Target, devbox: Machine
) -> None:
    project.invoke("db.fetch", "--app=staging").succeeds()
    [there] = project.dumps()

    words = ("db.pull", "--app=staging", "--upload", "--delete")
    fab(project, "devbox", *words).succeeds()

    assert project.dumps() == [there]
    assert dumps(devbox) == []


def test_upload_is_refused_without_a_host(project: Project, target: Target) -> None:
    with target.unasked():
        ended = project.invoke("db.pull", "--app=staging", "--upload")

    ended.refuses("--upload is for hosts, and none is named", "fab -H")
