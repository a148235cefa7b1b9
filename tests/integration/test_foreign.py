"""Databases and locks that are somebody else's: kept, waited for briefly, told of."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from databases import Postgres
from dbpull.errors.postgres import SqlFailed
from dbpull.errors.target import NameTaken, NotOwner, StillConnected
from dbpull.shell.local import Local
from dbpull.target import swap as swapping
from dbpull.target.aside import Aside
from dbpull.target.leftovers import leftovers
from dbpull.target.names import Names
from dbpull.target.provenance import Provenance
from dbpull.target.swap import Swap

COMMENT = Provenance("myapp", "b7", None, datetime(2024, 5, 1, tzinfo=UTC)).to_comment()
PRECIOUS = "CREATE TABLE precious ();"


def begin(postgres: Postgres, target: str) -> tuple[Aside, Swap]:
    """A pull as far as the swap."""
    psql, state, names = postgres.psql(target), postgres.state(target), Names(target)
    aside = Aside(psql, state, names)
    aside.create()
    return aside, Swap(psql, state, names)


def pull(postgres: Postgres, target: str) -> None:
    """A whole one."""
    aside, swap = begin(postgres, target)
    aside.take_settings()
    swap.to_new(aside.oid, comment=COMMENT, keep_previous=True)
    swap.discard(keep_previous=True)


def holds(postgres: Postgres, dbname: str) -> bool:
    return postgres.sql(dbname, "SELECT to_regclass('precious')") == "precious"


def test_a_database_that_takes_the_previous_ones_name_under_way_is_kept(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swapping, "TRIES", 1)
    name = postgres.database()
    aside, swap = begin(postgres, name)
    postgres.database(PRECIOUS, name=Names(name).previous)

    with pytest.raises(SqlFailed, match="already exists"):
        swap.to_new(aside.oid, comment=COMMENT, keep_previous=True)

    assert postgres.beside(name) == {"target", "aside", "previous"}
    swap.to_new(aside.oid, comment=COMMENT, keep_previous=False)
    swap.discard(keep_previous=False)
    assert holds(postgres, Names(name).previous)


def test_the_previous_one_is_kept_where_no_target_takes_its_place(
    postgres: Postgres,
) -> None:
    name = postgres.database(PRECIOUS)
    pull(postgres, name)
    postgres.sql("postgres", f"DROP DATABASE {name}")

    pull(postgres, name)

    assert holds(postgres, Names(name).previous)


def test_a_template_is_replaced_time_and_again_and_stays_one(
    postgres: Postgres,
) -> None:
    name = postgres.database()
    postgres.sql("postgres", f"ALTER DATABASE {name} IS_TEMPLATE true")

    for _ in range(3):
        pull(postgres, name)

    assert postgres.beside(name) == {"target", "previous"}
    asked = f"SELECT datistemplate FROM pg_database WHERE datname = '{name}'"
    assert postgres.sql("postgres", asked) == "t"
    begin(postgres, name)[1].to_previous()
    assert postgres.beside(name) == {"target", "aside", "previous"}


@pytest.mark.parametrize(
    "script",
    [
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE TYPE mood AS ENUM ('fine')",
        "CREATE SCHEMA mine",
        "SELECT lo_create(7)",
    ],
)
def test_an_aside_name_with_anything_in_it_is_somebodys(
    postgres_18: Postgres, script: str
) -> None:
    name = postgres_18.database()
    postgres_18.database(script, name=Names(name).aside)

    with pytest.raises(NameTaken):
        leftovers(postgres_18.psql(name), postgres_18.state(name))


def test_a_previous_one_of_another_owner_is_refused_early(
    postgres_18: Postgres,
) -> None:
    name, role = postgres_18.database(), postgres_18.role("CREATEDB")
    pull(postgres_18, name)
    postgres_18.sql("postgres", f"ALTER DATABASE {name} OWNER TO {role}")

    with pytest.raises(NotOwner, match=f"{name}__dbpull_previous belongs to postgres"):
        leftovers(postgres_18.psql(name, role), postgres_18.state(name, role))


def test_a_lock_of_somebody_is_not_waited_for_without_end(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swapping, "TRIES", 1)
    name = postgres.database()
    aside, swap = begin(postgres, name)
    env = postgres.connection("postgres").environment() | {"PGAPPNAME": "a console"}

    with Local().open([postgres.program("psql"), "-XAtq"], env=env) as session:
        session.ask(f"BEGIN; COMMENT ON DATABASE {name} IS 'hi'; SELECT 1;\n")
        with pytest.raises(StillConnected, match="a console of postgres"):
            swap.to_new(aside.oid, comment=COMMENT, keep_previous=True)

    assert postgres.beside(name) == {"target", "aside"}


def test_a_transaction_timeout_of_the_role_does_not_count(
    postgres_18: Postgres,
) -> None:
    role = postgres_18.role("SUPERUSER")
    postgres_18.sql("postgres", f"ALTER ROLE {role} SET transaction_timeout = '30ms'")
    psql = postgres_18.psql("postgres", role)

    assert psql.run("SELECT 1 FROM pg_sleep(0.1);", doing="Sleeping") == [["1"]]


def test_a_connection_that_is_lost_under_way_is_not_one_that_never_was(
    postgres: Postgres,
) -> None:
    psql = postgres.psql("postgres")

    with pytest.raises(SqlFailed, match=r"Thinking failed .*terminating connection"):
        psql.run("SELECT pg_terminate_backend(pg_backend_pid());", doing="Thinking")
