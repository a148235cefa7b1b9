"""A made-up Heroku with many apps, servers for targets, and projects that use them.

The conftest offers the fixtures by `pytest_plugins`. Each app stands for one situation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

from databases import AS_HEROKU, FOLDERS, cluster, copy_files
from dbpull.demo import shop
from faulty_stand_in import (
    AppConfig,
    AttachmentConfig,
    BackupConfig,
    Config,
    DatabaseConfig,
    StandIn,
)
from once import once
from projects import Project
from targets import OLD, Target, Watched, stopped_at_the_end, watched

HOUR = 3600.0
OTHERS = [int(name) for name in FOLDERS if name.isdigit()]
"""The other PostgreSQL majors that there is a server of on this machine."""
_numbers = count(1)

# What makes a dump that can't be restored although pg_dump was glad to make it.
BAD_ROW = """
create function valid(int) returns boolean immutable language sql as 'select true';
create table parcels (weight int check (valid(weight)));
insert into parcels values (7);
create or replace function valid(int) returns boolean immutable language sql
  as 'select false';
"""
BAD_INDEX = """
create function plain(text) returns text immutable language sql as 'select $1';
create function folded(text) returns text immutable language sql as 'select $1';
create table names (name text);
insert into names values ('Ada');
create index names_folded on names (folded(name));
create or replace function folded(text) returns text immutable language plpgsql
  as 'begin return plain($1); end';
"""  # a function without its schema: not found while restoring, a usual mistake
BAD_KEY = """
create table owners (id int primary key);
create table pets (owner_id int references owners);
set session_replication_role = replica;
insert into pets values (404);
"""
# Building the index, or analyzing, sleeps.
SLOW_INDEX = """
create function slow(int) returns int immutable language sql as 'select $1';
create table sleepers as select 1 as id;
create index sleepers_slow on sleepers (slow(id));
create or replace function slow(int) returns int immutable language sql
  as 'select $1 from pg_sleep(600)';
"""
SLOW_ANALYZE = """
create function slow(int) returns int immutable language sql as 'select $1';
create table sleepers as select g as id from generate_series(1, 3) g;
create statistics sleepy on (slow(id)) from sleepers;
create or replace function slow(int) returns int immutable language sql
  as 'select $1 from pg_sleep(600)';
"""
BAD = {
    "bad-row": BAD_ROW,
    "bad-index": BAD_INDEX,
    "bad-key": BAD_KEY,
    "slow-index": SLOW_INDEX,
    "slow-analyze": SLOW_ANALYZE,
}
# Files that are no dump, or not one for the programs and servers here.
STRANGE: dict[str, Callable[[bytes], bytes]] = {
    "no-archive": lambda _: b"-- PostgreSQL database dump\n" * 1000,
    # PGDMP, then the archive's version: major, minor, revision.
    "too-new": lambda whole: whole[:5] + b"\x01\x63\x00" + whole[8:],
    # An extension's name stands in the table of contents, which is not compressed.
    "lacks-extension": lambda whole: whole.replace(b"citext", b"zitext"),
    "cut-short": lambda whole: whole[: len(whole) // 2],
    "more-behind": lambda whole: whole + b"more",
}
ROWS = """
create extension citext;
create table blobs (id int primary key, data text);
alter table blobs alter data set storage external;
insert into blobs select g, string_agg(md5(g || '-' || i), '')
  from generate_series(1, 21) g, generate_series(1, 3000) i group by g;
"""
# Where a pull is wanted, and not what it brings: half of what the shop's takes.
SMALL = """
create table orders (id int primary key, word text);
insert into orders select g, 'word ' || g from generate_series(1, 5) g;
"""
# More than two of the download's chunks, to be caught arriving. A row is longer than
# what gzip looks back: it finds nothing in the copies.
BULK = f"""{ROWS}
insert into blobs select id + 21 * n, data from blobs, generate_series(1, 9) n;
"""
BLOBS = "select count(*), md5(string_agg(md5(data), '' order by id)) from blobs;"
"""What is in them: a pg_dump of them all takes longer than the pull."""


@dataclass
class World:
    """What all the tests share: the servers, the sources, the stand-in."""

    modern: Watched
    heroku: StandIn
    dumps: Path
    """Where those of the apps are, by name."""
    others: dict[int, Watched] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no run may ever say."""
        passwords = (one.password for one in (self.modern, *self.others.values()))
        return (self.heroku.token, *passwords)


def _database(name: str, source: str, plan: str = "standard-0") -> DatabaseConfig:
    return DatabaseConfig(f"postgresql-{name}", source, f"heroku-postgresql:{plan}")


def _app(name: str, source: str, *backups: BackupConfig) -> AppConfig:
    return AppConfig(name, databases=(_database(name, source),), backups=backups)


def _app_of(major: int, source: str, folder: Path) -> AppConfig:
    """An app on another major: b001 is its own pg_dump's, b002 the newest one's."""
    name = f"on-{major}"
    backups = [
        BackupConfig(number=n, dump=str(folder / f"{name}-{n}.dump")) for n in (1, 2)
    ]
    return _app(name, source, *backups)


def _apps(modern: Watched, folder: Path) -> Iterator[AppConfig]:
    """One app for each situation."""
    source, small = modern.url("shop"), modern.url("small")
    yield _app("small-eu", small, BackupConfig(number=101, age=HOUR))
    yield _app(
        "shop-eu",
        source,
        BackupConfig(number=99, age=25 * HOUR, scheduled=True),
        BackupConfig(number=101, age=HOUR),
        BackupConfig(number=102, age=HOUR / 2, status="failed"),
        BackupConfig(number=103, age=HOUR / 3, status="canceled"),
    )
    yield AppConfig(
        "billed-elsewhere",
        attachments=(AttachmentConfig("DATABASE", "postgresql-shop-eu"),),
    )
    yield _app("at-work", source, BackupConfig(number=5, age=60, status="running"))
    for case in range(3):
        yield _app(f"stale-{case}", small, BackupConfig(number=1, age=50 * HOUR))
    for name in (
        "captured",
        "fresh-eu",
        "fresh-too",
        "picked-up",
        "fresh-at-once",
        "fresh-by-steps",
    ):
        yield _app(name, small)
    for name in ("refusing", "barren", "unseen", "secret"):
        yield _app(name, source)
    yield AppConfig("without-database")
    whole = folder / "bulk.dump"
    yield _app("bulk-eu", source, BackupConfig(number=1, dump=str(whole)))
    # What has changed stays so: one for each test.
    for name in ("changing", "changing-there", "changing-in-place"):
        yield _app(name, source, BackupConfig(number=1, dump=str(whole)))
    for name in ("two-backups", "two-backups-there"):
        yield _app(name, small, BackupConfig(age=9 * HOUR), BackupConfig(age=HOUR))
    for name in BAD:
        yield _app(name, modern.url(name), BackupConfig(number=1))
    for name in STRANGE:
        backup = BackupConfig(number=1, dump=str(folder / f"{name}.dump"))
        yield _app(name, source, backup)


def _fill(folder: Path) -> None:
    """Make the servers' files and the dumps, of what is in their databases."""
    with ExitStack() as stack:
        for name, programs in FOLDERS.items():
            files = folder / name
            copy_files(cluster(programs), files)
            server = stack.enter_context(stopped_at_the_end(files, programs))
            shop.fill(server.server, "shop", scale=0.01)
            if name == "wheel":
                _fill_modern(server, folder)
            else:
                _dump_by_both(server, folder)


def _fill_modern(modern: Watched, folder: Path) -> None:
    modern.database(BULK, name="bulk")
    whole = modern.dump("bulk", folder / "bulk.dump", *AS_HEROKU, "-Z0")
    modern.database(SMALL, name="small")
    modern.database(ROWS, name="smaller")
    modern.dump("smaller", folder / "smaller.dump")
    for name, sql in BAD.items():
        modern.database(sql, name=name)
    for name, strange in STRANGE.items():
        (folder / f"{name}.dump").write_bytes(strange(whole.read_bytes()))


def _dump_by_both(other: Watched, folder: Path) -> None:
    for number, programs in enumerate((other.folder, FOLDERS["wheel"]), 1):
        path = folder / f"on-{other.major}-{number}.dump"
        replace(other, folder=programs).dump("shop", path)


@pytest.fixture(scope="session")
def world(run_folder: Path) -> Iterator[World]:
    filled = once(run_folder / "world", _fill)
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(watched(programs, filled / name))
            for name, programs in FOLDERS.items()
        }
        modern = servers.pop("wheel")
        others = {postgres.major: postgres for postgres in servers.values()}
        theirs = [
            _app_of(major, other.url("shop"), filled) for major, other in others.items()
        ]
        config = Config(
            (*_apps(modern, filled), *theirs),
            pg_dump=modern.program("pg_dump"),
            dump_at_start=False,
            progress_every=0.1,
        )
        heroku = stack.enter_context(StandIn.start(config))
        yield World(modern, heroku, filled, others)


@pytest.fixture
def heroku(world: World) -> Iterator[StandIn]:
    """The stand-in: well-behaved and with an empty log at every test's start."""
    world.heroku.forget_requests()
    yield world.heroku
    world.heroku.behave()


@pytest.fixture
def make_target(world: World) -> Iterator[Callable[..., Target]]:
    """Make a database with a developer's own rows in it."""
    made: list[Target] = []

    def make(on: Watched | None = None, name: str = "", options: str = "") -> Target:
        postgres = on or world.modern
        name = name or f"dev_{next(_numbers)}_"
        target = Target(postgres, postgres.database(OLD, name=name, options=options))
        made.append(target)
        return target

    yield make
    for target in made:
        target.postgres.drop_like(target.name[:30])


@pytest.fixture(scope="session")
def standing(world: World) -> Target:
    """A database for all the tests that may not change it."""
    return Target(world.modern, world.modern.database(OLD, name="standing"))


@pytest.fixture
def target(make_target: Callable[..., Target]) -> Target:
    """A database to be replaced."""
    return make_target()


@pytest.fixture
def make_project(
    world: World, heroku: StandIn, tmp_path: Path
) -> Iterator[Callable[..., Project]]:
    """Make a project; its variables are those of the stand-in and what is given."""
    made: list[Project] = []

    def make(**environment: str) -> Project:
        project = Project.at(tmp_path / f"project{len(made)}", heroku, **environment)
        project.configure("db:\n  apps: {staging: shop-eu}\n  jobs: 2\n")
        project.secrets = world.secrets
        made.append(project)
        return project

    yield make
    for project in made:
        project.close()


@pytest.fixture
def project(make_project: Callable[..., Project], target: Target) -> Project:
    """A project whose target is `target`."""
    return make_project(DATABASE_URL=target.url)
