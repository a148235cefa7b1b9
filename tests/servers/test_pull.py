"""`invoke db.pull` as a user types it: what is there afterwards, and what is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from stat import S_IMODE

import pytest

from faulty_stand_in import StandIn, faults
from lacking import POSTGRES, or_skipped
from projects import Project
from targets import Target
from worlds import OTHERS, World


def test_the_target_becomes_equal_to_the_source_and_undo_brings_the_old_one_back(
    world: World, project: Project, target: Target
) -> None:
    old = target.oid

    pull = ("--echo", "db.pull", "--app=staging", "--jobs=2", "--delete")
    ended = project.invoke(*pull).succeeds()

    # For the state, the lock, the aside database and its schemas, the check, ANALYZE
    # of what is small, the settings, the swap: each psql takes 20 ms here, a round trip
    # there.
    assert 0 < ended.err.count("ON_ERROR_STOP=1") <= 8
    assert world.modern.picture(target.name) == world.modern.picture("shop")
    assert project.dumps() == []
    assert target.family == {"target", "original"}
    new = target.oid
    project.invoke("db.undo").succeeds()
    assert (target.oid, target.notes) == (old, "(1,mine)")
    project.invoke("db.undo").succeeds()
    assert target.oid == new


@pytest.mark.parametrize("major", or_skipped(OTHERS, POSTGRES))
@pytest.mark.parametrize(("backup", "modern"), [("b001", True), ("b002", False)])
def test_dumps_of_an_older_server_go_into_an_older_and_a_newer_one(
    world: World,
    make_target: Callable[..., Target],
    make_project: Callable[..., Project],
    major: int,
    backup: str,
    *,
    modern: bool,
) -> None:
    other = world.others[major]
    target = make_target(world.modern if modern else other)
    project = make_project(DATABASE_URL=target.url)

    ended = project.invoke("db.pull", f"--app=on-{major}", f"--backup={backup}")

    ended.succeeds()
    programs = world.modern.folder
    source = other.likeness("shop", programs)
    assert target.postgres.likeness(target.name, programs) == source


@pytest.mark.parametrize("major", or_skipped(OTHERS, POSTGRES))
def test_a_newer_servers_dump_goes_into_an_older_one_as_far_as_it_can(
    world: World,
    make_target: Callable[..., Target],
    make_project: Callable[..., Project],
    major: int,
) -> None:
    target = make_target(world.others[major])
    project = make_project(DATABASE_URL=target.url)

    ended = project.invoke("db.pull", "--app=staging").succeeds()

    told = "Skipped transaction_timeout: PostgreSQL .. doesn't know it. No data are"
    assert len(re.findall(told, ended.err)) == 1
    count = "select count(*) from orders;"
    assert target.sql(count) == world.modern.sql("shop", count)


def test_a_pull_tells_its_story_on_stderr_and_the_next_one_fetches_no_whole_dump_again(
    project: Project, heroku: StandIn, target: Target
) -> None:
    project.configure("db:\n  apps: {staging: small-eu}\n  jobs: 2\n")

    ended = project.invoke("db.pull", "--app=staging").succeeds()

    assert ended.out == ""
    host, port = "127.0.0.1", target.url.split(":")[-1].split("/")[0]
    label = f"{target.name} on {host}:{port}"
    comes = f"small-eu (staging) b101, 1 hour old → {label} (DATABASE_URL)"
    assert ended.err.startswith(comes)
    steps = re.findall(r"^\d\d:\d\d:\d\d (\w+).* \(\d\.\d s\)$", ended.err, re.M)
    assert steps == ["Fetched", "Restored", "Checked", "Swapped"]
    assert "total" not in ended.err, "that is for --timings"
    assert f"{label} is now small-eu b101" in ended.err
    assert "`invoke db.undo` brings the old one back.\n" in ended.err
    assert heroku.total("download").sent > 0
    heroku.forget_requests()

    again = project.invoke("db.pull", "--app=staging").succeeds()

    assert heroku.total("download").requests == 0
    assert heroku.requests(path="public-url") == []
    assert "is here and whole" in again.err
    assert target.family == {"target", "previous", "original"}


def test_dumps_are_for_their_owners_eyes_and_not_for_git(project: Project) -> None:
    project.invoke("db.fetch", "--app=staging").succeeds()

    [name] = project.dumps()
    assert name.startswith("shop-eu-b101-")
    assert S_IMODE((project.local / name).stat().st_mode) == 0o600
    assert S_IMODE(project.local.stat().st_mode) == 0o700
    assert (project.local / ".gitignore").read_text() == "*\n"


def test_the_steps_one_by_one_are_a_pull_with_capture(
    world: World, project: Project, heroku: StandIn, target: Target
) -> None:
    project.configure("db: {app: fresh-eu}\n")

    project.invoke("db.capture", "db.fetch", "db.restore", "db.cleanup").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture("small")
    assert len(heroku.requests(method="POST", path="/backups")) == 1
    [name] = project.dumps()
    assert name.startswith("fresh-eu-b001-")


def test_what_was_just_fetched_is_what_is_restored(project: Project) -> None:
    project.configure("db: {app: two-backups}\n")
    project.invoke("db.fetch").succeeds()

    ended = project.invoke("db.fetch", "--backup=b001", "db.restore").succeeds()

    assert "is now two-backups b001, 9 hours old." in ended.err


def test_a_dump_is_restored_without_any_network(
    world: World, project: Project, target: Target
) -> None:
    dump = world.modern.dump("small", project.folder / "some.dump")
    offline = {"HEROKU_HOST": "http://127.0.0.1:1", "HEROKU_API_KEY": ""}

    ended = project.invoke("db.restore", "--dump=some.dump", **offline).succeeds()

    assert "is now some.dump." in ended.err
    assert world.modern.picture(target.name) == world.modern.picture("small")
    assert dump.exists()


def test_an_attached_database_goes_where_the_flag_says_which_is_created_by_a_socket(
    world: World, project: Project, target: Target
) -> None:
    other = Target(world.modern, f"{target.name}other")
    old, url = target.oid, world.modern.socket_url(other.name)
    words = ("--app=billed-elsewhere", "--backup=a099", f"--target={url}")

    ended = project.invoke("db.pull", *words).succeeds()

    first = ended.err.splitlines()[0]
    there = f"{other.name} on this machine"
    assert re.match(rf"billed-elsewhere a099, [^,]+ old → {there}", first)
    assert first.endswith("(--target), which is created.")
    assert world.modern.picture(other.name) == world.modern.picture("shop")
    assert other.family == {"target"}
    assert (target.oid, target.notes) == (old, "(1,mine)")


def test_a_name_of_63_bytes_with_quotes_blanks_and_umlauts_works_and_sessions_end(
    world: World,
    make_target: Callable[..., Target],
    make_project: Callable[..., Project],
) -> None:
    name = "Übler \"Name\" mit 'Strichen' & =%/ " + "ü" * 12
    name += "x" * (63 - len(name.encode()))
    target = make_target(name=name)
    project = make_project(DATABASE_URL=target.url)
    old = target.oid

    with world.modern.session(name, "select 1"), coming_back(project, target):
        project.invoke("db.pull", "--app=small-eu").succeeds()

    assert world.modern.picture(name) == world.modern.picture("small")
    project.invoke("db.undo").succeeds()
    assert target.oid == old


@contextmanager
def coming_back(project: Project, target: Target) -> Iterator[None]:
    """A client that connects to the target anew whenever its session is ended."""
    psql = target.postgres.program("psql")
    argv = [psql, "-Xqc", "select pg_sleep(600)", target.url]
    again = ["sh", "-c", 'while :; do "$@" >/dev/null 2>&1; done', "sh", *argv]
    eager = project.begin(again, None, {})
    eager.until(lambda: "pg_sleep" in _at_work(target))
    yield
    eager.process.kill()


def _at_work(target: Target) -> str:
    return target.sql("select string_agg(query, ';') from pg_stat_activity;")


def test_a_lost_answer_does_not_capture_twice(
    project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(faults.lose_answer())

    project.invoke("db.pull", "--app=fresh-too").succeeds()

    assert len(heroku.requests(method="POST", path="/backups")) == 1
    assert target.family == {"target", "original"}
