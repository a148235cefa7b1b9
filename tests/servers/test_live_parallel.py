"""A running server that is read by several connections at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from disks import small_disk
from forwarder import command
from projects import Project
from targets import Target
from worlds import World

SOURCE = "live_parallel"
LARGE = "live_parallel_large"
RATE = 4_000_000  # bytes a second of each connection
SLOW = 1_500_000
"""A rate at which the large table takes eight seconds: two lie in sockets."""
ROWS = """
create table b (id int primary key, data text);
create table a (id int primary key references b, data text);
create table tiny (id int primary key);
create table parted (id int, data text) partition by hash (id);
create table parted_0 partition of parted for values with (modulus 2, remainder 0);
create table parted_1 partition of parted for values with (modulus 2, remainder 1);
insert into b select g, md5(g::text) from generate_series(1, 9000) g;
insert into a select g, md5(g::text) from generate_series(1, 9000) g;
insert into parted select g, md5(g::text) from generate_series(1, 9000) g;
insert into tiny values (1);
select lo_from_bytea(0, convert_to(repeat(md5(g::text), 100), 'UTF8'))
  from generate_series(1, 50) g;
"""
ONE_LARGE = """
create table small (id int primary key, data text);
create table large as select g as id, md5(g::text) || md5('-' || g) as data
  from generate_series(1, 180000) g;
insert into small select g, 'x' from generate_series(1, 10) g;
"""
ARRIVING = f"""select count(*) from pg_stat_progress_copy
  where command = 'COPY FROM' and tuples_processed > 0 and exists (
    select from pg_stat_activity where datname = '{LARGE}' and state = 'active'
      and application_name = 'dbpull' and query like 'COPY %')"""
"""How many tables are restored while the source still sends one."""
LARGE_OBJECTS = "select count(*), sum(length(lo_get(oid))) from pg_largeobject_metadata"
OURS = f"""select count(*) from pg_stat_activity
  where application_name = 'dbpull' and datname = '{LARGE}'"""
FAILING = """#!/bin/sh
case "$*" in *--jobs=*) ;; *) exec {real} "$@";; esac
[ -z "$BROUGHT" ] || {real} "$@" || exit
echo "pg_dump: error: $SAYS" >&2
echo 'pg_dump: error: a worker process died unexpectedly' >&2
exit 1
"""
"""A pg_dump that fails with several connections, after it has $BROUGHT all or not."""
FULL = 'connection to server at "db" failed: FATAL:  sorry, too many clients already'
LOCKED = 'could not obtain lock on relation "public.b"'


@pytest.fixture(scope="module")
def source(world: World) -> Iterator[World]:
    world.modern.database(ROWS, name=SOURCE)
    yield world
    world.modern.drop_like(SOURCE)


@pytest.fixture(scope="module")
def one_large(source: World) -> World:
    """A source most of which is one table; dropped with the other."""
    source.modern.database(ONE_LARGE, name=LARGE)
    return source


def configure(
    project: Project, world: World, dbname: str, rate: int, **more: object
) -> Project:
    """Have its source `far`: slow on each of four connections."""
    place = urlsplit(world.modern.url(dbname)).netloc.rpartition("@")[2]
    url = f"postgres://postgres:{world.modern.password}@db.internal:1/{dbname}"
    far = {"source": url, "tunnel": command(place, rate=rate)}
    project.configure(json.dumps({"db": {"jobs": 4, "sources": {"far": far}, **more}}))
    return project


@pytest.fixture
def far(source: World, project: Project) -> Project:
    """A project whose source is slow on each of four connections."""
    return configure(project, source, SOURCE, RATE)


def equal(source: World, target: Target) -> None:
    """Assert that the target has all that the source has."""
    modern = source.modern
    assert modern.picture(target.name) == modern.picture(SOURCE)
    assert target.sql(LARGE_OBJECTS) == modern.sql(SOURCE, LARGE_OBJECTS)


def test_four_connections_bring_the_same_database(
    source: World, far: Project, target: Target
) -> None:
    ended = far.invoke("db.pull", "--source=far").succeeds()

    assert "one transaction of 4 connections" in ended.err
    equal(source, target)
    (dump,) = far.dumps()
    target.sql("drop table a")
    far.invoke("db.restore", f"--dump={far.local / dump}").succeeds()
    equal(source, target)


def test_a_last_table_that_is_the_largest_is_restored(
    one_large: World, project: Project, target: Target
) -> None:
    far = configure(project, one_large, LARGE, RATE)

    far.invoke("db.pull", "--source=far").succeeds()

    modern = one_large.modern
    assert modern.picture(target.name) == modern.picture(LARGE)


def test_the_last_table_is_restored_while_it_arrives_and_may_fail(
    one_large: World, project: Project, target: Target
) -> None:
    far = configure(project, one_large, LARGE, SLOW)
    ending = f"""select count(pg_terminate_backend(pid)) from pg_stat_activity
      where datname = '{LARGE}' and state = 'active' and query like 'COPY %'"""

    with target.untouched(), one_large.modern.session("postgres") as looking:
        run = far.start("db.pull", "--source=far")
        run.until(lambda: looking.ask(ARRIVING) != "0", "rows of the large table")
        assert looking.ask(OURS) == "5"
        assert looking.ask(ending) == "1"
        ended = run.end()

    ended.refuses("Dumping .* failed: ", "it starts over")
    assert far.dumps() == []


def test_what_is_undecided_stops_it_before_rows_arrive(
    one_large: World, project: Project, target: Target
) -> None:
    far = configure(project, one_large, LARGE, RATE, mask={"small.data": "keep"})

    with target.unasked():
        ended = far.invoke("db.pull", "--source=far")

    ended.refuses("whether 1 column is personal: large.data", "Nothing was restored")
    assert far.dumps() == []


def test_a_small_disk_is_told_as_full(
    one_large: World, project: Project, target: Target, tmp_path: Path
) -> None:
    far = configure(project, one_large, LARGE, RATE)
    disk = tmp_path / "disk"
    disk.mkdir()

    with small_disk(disk, megabytes=4), target.untouched():
        ended = far.invoke("db.pull", "--source=far", f"--path={disk}/dumps")
        left = [*(disk / "dumps").iterdir()]

    ended.refuses("the disk is full", "Make room")
    assert [path.name for path in left if path.name[0] != "."] == []


def test_the_users_connections_are_the_most(
    source: World, far: Project, target: Target
) -> None:
    ended = far.invoke("db.pull", "--source=far", "--connections=1").succeeds()

    assert "is read in one transaction, as long as" in ended.err
    equal(source, target)


@pytest.mark.parametrize("brought", ["", "all"])
@pytest.mark.parametrize("says", [FULL, LOCKED])
def test_one_connection_serves_where_several_do_not(
    source: World, far: Project, target: Target, tmp_path: Path, says: str, brought: str
) -> None:
    variables = failing(source, tmp_path, SAYS=says, BROUGHT=brought)
    ended = far.invoke("db.pull", "--source=far", **variables).succeeds()

    assert "by one connection. Starting over" in ended.err
    assert says.rpartition(":  ")[2] in ended.err
    equal(source, target)
    assert [name for name in far.dumps() if not name.endswith(".dump")] == []


def test_a_full_disk_is_told_as_ours(
    source: World, far: Project, target: Target, tmp_path: Path
) -> None:
    says = "could not write to file: No space left on device"
    variables = failing(source, tmp_path, SAYS=says, BROUGHT="all")
    with target.untouched():
        ended = far.invoke("db.pull", "--source=far", **variables)

    ended.refuses("the disk is full", "Make room")
    assert far.dumps() == []


def failing(source: World, folder: Path, **variables: str) -> dict[str, str]:
    """The variables of a run whose pg_dump fails."""
    program = folder / "bin" / "pg_dump"
    program.parent.mkdir()
    program.write_text(FAILING.format(real=source.modern.program("pg_dump")))
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, **variables}
