"""Every kind of object: dbpull makes of a dump what a serial pg_restore makes of it.

Compared is what pg_dump says of both, and the little that it does not say. Servers,
jobs, databases and ways are not all combined: each two of them meet (`choices`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from choices import in_turn, pairs
from databases import FOLDERS, SERVERS
from faulty_stand_in import (
    AppConfig,
    BackupConfig,
    Config,
    DatabaseConfig,
    StandIn,
    faults,
)
from kinds import (
    STATISTICS,
    UNSAID,
    Kinds,
    entries,
    everything,
    refuse_differences,
)
from projects import Project
from targets import Target, Watched
from worlds import World

HERE = list(FOLDERS)

# An index of every row, by what its expressions give now that all rows are there.
SOUND = """
CREATE EXTENSION amcheck WITH SCHEMA public;
SELECT count(public.bt_index_check(i.indexrelid, true)) > 20 FROM pg_index i
  JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam
  WHERE amname = 'btree' AND relkind = 'i' AND indisvalid AND i.indexrelid >= 16384;
"""
# What the dump must hold, or this tests less than it says.
DESCS = """ACCESS METHOD, AGGREGATE, BLOBS, CAST, CHECK CONSTRAINT, COLLATION, COMMENT,
CONSTRAINT, DEFAULT, DOMAIN, EVENT TRIGGER, EXTENSION, FK CONSTRAINT, FUNCTION, INDEX,
INDEX ATTACH, MATERIALIZED VIEW, MATERIALIZED VIEW DATA, OPERATOR, OPERATOR CLASS,
OPERATOR FAMILY, POLICY, PROCEDURE, PUBLICATION, PUBLICATION TABLE,
PUBLICATION TABLES IN SCHEMA, ROW SECURITY, RULE, SCHEMA, SEQUENCE, SEQUENCE OWNED BY,
SEQUENCE SET, STATISTICS, TABLE, TABLE ATTACH, TABLE DATA, TEXT SEARCH CONFIGURATION,
TEXT SEARCH DICTIONARY, TRIGGER, TYPE, VIEW"""
JOBS = [1, 5]
"""With two, which is what the projects here have, all comes through a download."""
OFFERED = [
    *in_turn(["kinds", "kinds"], ["dump", "plain"], HERE),
    *in_turn([*UNSAID], ["dump"], HERE),
]
"""Databases, their dumps, and servers: what comes through a download."""
SKIP = 'a_price,public.lines_*,animals,unlog*,a "quoted" one.SELECT'
SKIPPED = {"a_price", "lines_0", "lines_1", "animals", "unlogged", "SELECT"}
"""Tables that fit, which no foreign key refers to."""


@pytest.fixture(scope="module", params=SERVERS)
def on(request: pytest.FixtureRequest, world: World) -> Watched:
    """Each server, one after the other."""
    return served_by(world, request.param)


def served_by(world: World, name: str) -> Watched:
    return world.modern if name == "wheel" else world.others[int(name)]


@pytest.fixture
def name() -> str:
    """Of the database; tests of others say so."""
    return "kinds"


@pytest.fixture
def kinds(on: Watched, name: str, run_folder: Path) -> Kinds:
    return Kinds.of(on, name, run_folder)


@pytest.fixture
def target(make_target: Callable[..., Target], on: Watched) -> Target:
    return make_target(on)


@pytest.fixture(scope="module")
def offering(world: World, run_folder: Path) -> Iterator[StandIn]:
    """A Heroku with an app for each of `OFFERED`, which sends 1 MB a second."""
    apps = []
    for name, file, server in OFFERED:
        dump = Kinds.of(served_by(world, server), name, run_folder).folder / file
        backup = BackupConfig(number=1, dump=str(dump))
        app = f"{name}-{file}"
        database = DatabaseConfig(f"postgresql-{app}", world.modern.url("shop"))
        apps.append(AppConfig(app, databases=(database,), backups=(backup,)))
    pg_dump = world.modern.program("pg_dump")
    config = Config(tuple(apps), pg_dump=pg_dump, dump_at_start=False)
    with StandIn.start(config) as heroku:
        heroku.misbehave(faults.throttle(1_000_000))
        yield heroku


def test_a_serial_pg_restore_leaves_the_source_as_it_is_and_no_kind_is_missing(
    kinds: Kinds,
) -> None:
    refuse_differences(kinds.whole, kinds.source)
    assert {one.desc for one in entries(kinds.dump)} >= set(re.split(r",\s+", DESCS))


@pytest.mark.parametrize(
    ("file", "jobs", "on"),
    pairs(["dump", "plain"], JOBS, HERE),
    indirect=["on"],
)
def test_every_kind_of_object_is_as_a_serial_pg_restore_leaves_it(
    kinds: Kinds, target: Target, project: Project, file: str, jobs: int
) -> None:
    dump = kinds.folder / file

    project.invoke("db.restore", f"--dump={dump}", INVOKE_DB_JOBS=str(jobs)).succeeds()

    refuse_differences(everything(kinds.on, target.name), kinds.serial)
    assert target.sql(SOUND) == "t"


@pytest.mark.parametrize(
    ("name", "jobs", "on"), in_turn(["many"] * 2, [1, 5], HERE), indirect=["on"]
)
def test_many_tables_are_as_a_serial_pg_restore_leaves_them(
    kinds: Kinds, target: Target, project: Project, jobs: int
) -> None:
    project.invoke(
        "db.restore", f"--dump={kinds.dump}", INVOKE_DB_JOBS=str(jobs)
    ).succeeds()

    refuse_differences(everything(kinds.on, target.name), kinds.serial)
    assert target.sql(SOUND) == "t"


@pytest.mark.parametrize(
    ("name", "jobs", "on"), in_turn(["keys"] * 2, [1, 5], HERE), indirect=["on"]
)
def test_keys_that_are_made_in_two_statements_are_what_one_would_make(
    kinds: Kinds, on: Watched, target: Target, project: Project, jobs: int
) -> None:
    before = len(on.server.log.read_bytes())

    project.invoke(
        "db.restore", f"--dump={kinds.dump}", INVOKE_DB_JOBS=str(jobs)
    ).succeeds()

    log = on.server.log.read_bytes()[before:].decode()
    refuse_differences(everything(on, target.name), kinds.serial)
    assert target.sql(SOUND.replace("20", "12")) == "t"
    assert ('CREATE UNIQUE INDEX "odd ""name"", with; (all)"' in log) == (jobs > 1)
    assert ('VALIDATE CONSTRAINT "boss of; all"' in log) == (jobs > 1)
    assert "UNIQUE INDEX not_distinct" not in log
    assert "VALIDATE CONSTRAINT never" not in log


@pytest.mark.parametrize(
    ("name", "file", "jobs", "on"),
    [
        # Of a tar file one worker restores all, however many there may be.
        *in_turn([*UNSAID], ["tar", "dump"], [2, 1], HERE),
        *in_turn([*UNSAID], ["dump"], [5], HERE[::-1]),
    ],
    indirect=["on"],
)
def test_what_nothing_in_a_dump_orders_is_restored_in_its_order(
    kinds: Kinds, target: Target, project: Project, file: str, jobs: int
) -> None:
    dump = kinds.folder / file

    project.invoke("db.restore", f"--dump={dump}", INVOKE_DB_JOBS=str(jobs)).succeeds()

    refuse_differences(everything(kinds.on, target.name), kinds.serial)


@pytest.mark.parametrize(("jobs", "on"), in_turn([1, 2], HERE), indirect=["on"])
def test_skipped_rows_are_left_out_and_nothing_else(
    kinds: Kinds, target: Target, project: Project, jobs: int
) -> None:
    dump = f"--dump={kinds.dump}"

    project.invoke(
        "db.restore", dump, f"--skip-data={SKIP}", INVOKE_DB_JOBS=str(jobs)
    ).succeeds()

    theirs = kinds.restored(kinds.dump, without=SKIPPED)
    assert theirs != kinds.serial
    refuse_differences(everything(kinds.on, target.name), theirs)


@pytest.mark.parametrize("on", ["wheel"], indirect=True)
def test_statistics_in_a_dump_change_nothing_else(
    kinds: Kinds, target: Target, project: Project
) -> None:
    dump = kinds.folder / STATISTICS

    project.invoke("db.restore", f"--dump={dump}").succeeds()

    assert "STATISTICS DATA" in {one.desc for one in entries(dump)}
    refuse_differences(everything(kinds.on, target.name), kinds.serial)


@pytest.mark.parametrize(("name", "file", "on"), OFFERED, indirect=["on"])
def test_every_kind_and_what_nothing_orders_come_through_a_download(
    offering: StandIn,
    kinds: Kinds,
    target: Target,
    make_project: Callable[..., Project],
    name: str,
    file: str,
) -> None:
    project = make_project(DATABASE_URL=target.url, **offering.environment)

    project.invoke("db.pull", f"--app={name}-{file}", INVOKE_DB_JOBS="2").succeeds()

    refuse_differences(everything(kinds.on, target.name), kinds.serial)


@pytest.mark.parametrize(
    ("name", "on"),
    in_turn([*UNSAID], HERE[::-1]),
    indirect=["on"],
)
def test_what_nothing_in_a_dump_orders_is_restored_in_place(
    kinds: Kinds, target: Target, project: Project
) -> None:
    target.sql("DROP TABLE notes;")

    project.invoke("db.restore", f"--dump={kinds.dump}", "--in-place").succeeds()

    refuse_differences(everything(kinds.on, target.name), kinds.serial)
