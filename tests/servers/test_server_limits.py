"""What a server is short of, or warns of: the right words, and advice that helps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from databases import FOLDERS, SERVERS, Postgres, served
from dbpull.embedded.configuration import ALWAYS
from dbpull.errors.postgres import CannotConnect, SqlFailed
from dbpull.target import aside, lock
from projects import Project
from swaps import WORD, build_aside, pull, undo, word
from targets import Target
from worlds import World


@contextmanager
def altered(postgres: Postgres, dbname: str, column: str, value: str) -> Iterator[None]:
    """A database of which the catalog says something else."""
    sql = "UPDATE pg_database SET {} = {} WHERE datname = '{}'"
    old = postgres.sql(
        "postgres",
        f"SELECT quote_nullable({column}) FROM pg_database WHERE datname = '{dbname}'",
    )
    postgres.sql("template1", sql.format(column, f"'{value}'", dbname))
    try:
        yield
    finally:
        postgres.sql("template1", sql.format(column, old, dbname))


def test_a_server_that_warns_at_each_connection_is_heard_out(
    postgres: Postgres,
) -> None:
    name = postgres.database(WORD.format("old"))

    with altered(postgres, "postgres", "datcollversion", "1.0"):
        with pytest.raises(
            SqlFailed, match=r"Looking failed on .*: division by zero\."
        ):
            postgres.psql("postgres").run("SELECT 1/0;", doing="Looking")
        with lock.held(postgres.psql(name)):
            pull(postgres, name)
        undo(postgres, name)

    assert word(postgres, name) == "old"


def test_an_aside_database_is_dropped_once_an_earlier_session_has_ended(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = postgres.role("CREATEDB CONNECTION LIMIT 1")
    name = postgres.database(options=f"OWNER {role}")
    by_superuser = aside.Aside(postgres.psql(name))
    by_superuser.create()
    by_role = aside.Aside(postgres.psql(name, role))
    by_role.oid = by_superuser.oid
    with by_role.psql.conversation(name="about to end") as session:
        assert session.query("SELECT 1;\n").strip() == "1"
        ending = SimpleNamespace(
            monotonic=time.monotonic, sleep=lambda _: session.last_words()
        )
        monkeypatch.setattr(aside, "time", ending)

        by_role.drop()

    assert by_role.names.aside not in postgres.databases()


def test_a_limit_of_a_roles_connections_is_told_with_what_raises_it(
    postgres: Postgres,
) -> None:
    role = postgres.role("CREATEDB CONNECTION LIMIT 1")
    name = postgres.database(options=f"OWNER {role}")
    psql = postgres.psql(name, role)

    with (
        pytest.raises(CannotConnect, match="too many connections for role") as raised,
        lock.held(psql),
    ):
        psql.run("SELECT 1;", doing="x")

    assert "--jobs" in raised.value.remedy
    assert "CONNECTION LIMIT" in raised.value.remedy
    assert "password" not in raised.value.remedy


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_out_of_locks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALWAYS, "max_locks_per_transaction", "10")
    monkeypatch.setitem(ALWAYS, "max_connections", "10")
    many = "SELECT pg_advisory_lock(i) FROM generate_series(1, 90000) i;"

    with (
        served(FOLDERS[name]) as postgres,
        pytest.raises(SqlFailed, match="out of shared memory") as raised,
    ):
        postgres.psql("postgres").run(many, doing="x")

    assert "max_locks_per_transaction" in raised.value.remedy


def test_a_locale_that_is_gone(postgres: Postgres) -> None:
    name = postgres.database(WORD.format("old"))

    with (
        altered(postgres, name, "datcollate", "xx_XX.utf8"),
        pytest.raises(SqlFailed, match=r"Creating .* failed .*locale") as raised,
    ):
        build_aside(postgres, name)

    assert "Install that locale" in raised.value.remedy
    assert postgres.beside(name) == {"target"}


def test_a_template_of_another_collation_version(postgres: Postgres) -> None:
    name = postgres.database(WORD.format("old"))

    with (
        altered(postgres, "template0", "datcollversion", "1.0"),
        pytest.raises(SqlFailed, match=r"template0.*collation version") as raised,
    ):
        build_aside(postgres, name)

    assert "ALTER DATABASE template0 REFRESH COLLATION" in raised.value.remedy
    assert postgres.beside(name) == {"target"}


def test_a_target_that_can_not_hold_the_dumps_characters(
    world: World,
    project: Project,
    make_target: Callable[..., Target],
    tmp_path: Path,
) -> None:
    world.modern.database("create table t as select '€ ☃' as c;", name="snow")
    dump = world.modern.dump("snow", tmp_path / "snow.dump")
    latin1 = "template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'"
    target = make_target(options=latin1)

    with target.untouched():
        words = ("db.restore", f"--dump={dump}", f"--target={target.url}")
        ended = project.invoke(*words)

    ended.refuses('has no equivalent in encoding "LATIN1"', "ENCODING 'UTF8'")
    assert "db.restore" not in ended.remedy


def test_a_role_with_fewer_connections_than_jobs(
    world: World, project: Project, make_target: Callable[..., Target]
) -> None:
    role = world.modern.role("CREATEDB CONNECTION LIMIT 2")
    target = make_target(options=f"owner {role}")
    url = world.modern.socket_url(target.name, role)

    with target.untouched():
        ended = project.invoke("db.pull", "--app=staging", f"--target={url}")

    ended.refuses("too many connections for role", "--jobs.*CONNECTION LIMIT")
