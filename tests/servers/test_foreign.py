"""Dumps that are not read here but by pg_restore: tar files, and versions to come."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from databases import AS_HEROKU
from dbpull import archive
from dbpull.archive import Archive, printed
from faulty_stand_in import AppConfig, BackupConfig, Config, DatabaseConfig, StandIn
from kinds import SQL
from projects import Project
from targets import Target, Watched
from worlds import World

MINOR = 6
"""Where in a dump the minor number of its version is: after PGDMP and the major."""
# The pg_restore of a PostgreSQL to come: an older version is written into its copy.
TO_COME = """#!/bin/sh
[ "$1" = --version ] && { echo "pg_restore (PostgreSQL) 99.0"; exit; }
for dump; do :; done
cp "$dump" "COPY" && printf '\\020' | dd of="COPY" bs=1 seek=6 conv=notrunc 2>&-
for word; do
  shift
  [ "$word" = "$dump" ] && word="COPY"
  set -- "$@" "$word"
done
exec REAL "$@"
"""


def of_version(minor: int, dump: Path) -> None:
    """Have a dump say that its archive's version is 1.minor."""
    with dump.open("r+b") as file:
        file.seek(MINOR)
        file.write(bytes([minor]))


@pytest.fixture(scope="module")
def newer(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """A Heroku whose backup is of archive version 1.17."""
    dump = world.modern.dump("shop", tmp_path_factory.mktemp("newer") / "x.dump")
    of_version(17, dump)
    database = DatabaseConfig("postgresql-newer", world.modern.url("shop"))
    app = AppConfig(
        "newer", databases=(database,), backups=(BackupConfig(1, dump=str(dump)),)
    )
    pg_dump = world.modern.program("pg_dump")
    with StandIn.start(Config((app,), pg_dump=pg_dump, dump_at_start=False)) as heroku:
        yield heroku


@pytest.fixture
def project(
    make_project: Callable[..., Project], target: Target, newer: StandIn
) -> Project:
    return make_project(DATABASE_URL=target.url, **newer.environment)


@pytest.fixture
def to_come(world: World, project: Project, tmp_path: Path) -> None:
    """A machine that has the pg_restore which reads version 1.17."""
    program = tmp_path / "bin/pg_restore"
    program.parent.mkdir()
    text = TO_COME.replace("REAL", world.modern.program("pg_restore"))
    program.write_text(text.replace("COPY", str(tmp_path / "copy.dump")))
    program.chmod(0o755)
    path = project.environment.get("PATH", os.environ["PATH"])
    project.environment["PATH"] = f"{program.parent}{os.pathsep}{path}"


def test_a_tar_file_is_restored_by_one_worker(
    world: World, project: Project, target: Target, tmp_path: Path
) -> None:
    dump = world.modern.dump("shop", tmp_path / "shop.tar", "-Ft")

    ended = project.invoke("db.restore", f"--dump={dump}", "--jobs=2").succeeds()

    assert "shop.tar is a tar file: that is left to pg_restore." in ended.err
    assert world.modern.picture(target.name) == world.modern.picture("shop")


def test_rows_of_a_tar_file_can_be_skipped(
    world: World, project: Project, target: Target, tmp_path: Path
) -> None:
    dump = world.modern.dump("shop", tmp_path / "shop.tar", "-Ft")

    words = (f"--dump={dump}", "--skip-data=audit_events")
    project.invoke("db.restore", *words).succeeds()

    assert target.sql("SELECT count(*) FROM audit_events") == "0"
    assert int(target.sql("SELECT count(*) FROM customers")) > 0


@pytest.mark.usefixtures("to_come")
def test_a_newer_version_is_fetched_and_restored_by_what_reads_it_there_and_here(
    world: World, project: Project, target: Target
) -> None:
    ended = project.invoke("db.pull", "--app=newer").succeeds()

    assert "newer b001 is a dump of archive version 1.17, newer than" in ended.err
    assert world.modern.picture(target.name) == world.modern.picture("shop")
    target.sql("create table mine ();")
    [dump] = project.dumps()
    project.invoke("db.restore", f"--dump={dump}").succeeds()
    assert world.modern.picture(target.name) == world.modern.picture("shop")


def test_a_version_that_nothing_here_reads_is_refused_before_it_is_fetched(
    project: Project, target: Target
) -> None:
    with target.untouched():
        ended = project.invoke("db.pull", "--app=newer")

    ended.refuses("version 1.17, newer than", "Update dbpull")
    assert target.family == {"target"}


@pytest.mark.usefixtures("to_come")
@pytest.mark.parametrize("name", ["displaced", "judged", "refreshed"])
def test_a_newer_version_is_restored_in_its_order(
    world: World, project: Project, target: Target, tmp_path: Path, name: str
) -> None:
    source, serial = world.modern.database(SQL[name]), world.modern.database()
    dump = world.modern.dump(source, tmp_path / "x.dump", *AS_HEROKU)
    pg_restore = [world.modern.program("pg_restore"), "--exit-on-error"]
    url = world.modern.url(serial)
    subprocess.run([*pg_restore, "--no-owner", "-d", url, dump], check=True)
    of_version(17, dump)

    project.invoke("db.restore", f"--dump={dump}", INVOKE_DB_JOBS="5").succeeds()

    assert world.modern.likeness(target.name) == world.modern.likeness(serial)


@pytest.mark.usefixtures("to_come")
def test_a_version_to_come_is_masked_before_its_rows_are_restored(
    project: Project, target: Target
) -> None:
    rules = '{"customers.email": "email", "*": "keep"}'
    project.configure(f'{{"db": {{"jobs": 2, "mask": {rules}}}}}')

    ended = project.invoke("db.pull", "--app=newer").succeeds()

    others = "email !~ '^u[0-9a-f]{16}@example.com$'"
    assert target.sql(f"SELECT count(*) FROM customers WHERE {others}") == "0"
    assert target.sql("SELECT count(*) > 9 FROM customers") == "t"
    assert "Masked 1 column of 1 table." in ended.err
    assert project.dumps() == ["mask.dump-salt"]


def read_here(dump: Path) -> Archive:
    with dump.open("rb") as file:
        return archive.read(file)


def read_by_pg_restore(on: Watched, dump: Path) -> Archive:
    def told(*options: str) -> str:
        argv = [on.program("pg_restore"), *options, str(dump)]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    by_section = {one: told("-l", f"--section={one}") for one in printed.SECTIONS}
    script = told("--verbose", "--schema-only", "-f", "-")
    return printed.parse(told("-l"), by_section, script)


def test_what_pg_restore_prints_is_what_we_read(world: World, tmp_path: Path) -> None:
    source = world.modern.database(SQL["kinds"])
    dump = world.modern.dump(source, tmp_path / "x.dump", *AS_HEROKU)

    ours, theirs = read_here(dump), read_by_pg_restore(world.modern, dump)

    mine = {one.dump_id: one for one in ours.entries}
    order = [one.dump_id for one in theirs.entries]
    assert order == [dump_id for dump_id in mine if dump_id in set(order)]
    assert len(theirs.entries) > 100
    for one in theirs.entries:
        other = mine[one.dump_id]
        assert (one.desc, one.namespace, one.had_data, one.oid) == (
            other.desc,
            other.namespace,
            other.had_data,
            other.oid,
        )
        assert one.tag == " ".join(other.tag.splitlines())
        assert one.section == other.section or other.section == "none"
        if one.definition:
            assert one.dependencies == other.dependencies
            assert one.definition.startswith(other.definition.strip()[:200])
    left = {mine[i].desc for i in set(mine) - {one.dump_id for one in theirs.entries}}
    assert left <= {"ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE"}
    assert ours.missing_schemas == theirs.missing_schemas
    assert ours.extensions == theirs.extensions
    assert (ours.header.version, ours.header.compression) == (
        theirs.header.version,
        theirs.header.compression,
    )
