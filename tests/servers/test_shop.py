"""The made-up shop: what a real app's database has, the same on every machine."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from databases import FOLDERS, WITH_ICU, served
from dbpull.demo import shop
from dbpull.embedded import Server
from dbpull.errors.embedded import EmbeddedError
from lacking import POSTGRES, or_skipped

OTHERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
TABLES = (
    "SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'p') AND oid > 16383"
)
HEROKU = ("--no-acl", "--no-owner", "--quote-all-identifiers")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with served(FOLDERS["wheel"]) as postgres:
        shop.fill(postgres.server, "shop", scale=0.01)
        yield postgres.server


def ask(server: Server, sql: str, dbname: str = "shop") -> str:
    psql = [str(server.programs / "psql"), "-XAtc", sql, server.url(dbname)]
    return subprocess.run(psql, check=True, capture_output=True, text=True).stdout[:-1]


def rows(server: Server, dbname: str = "shop") -> dict[str, str]:
    """Each table's rows, as one checksum."""
    hashed = (
        "SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text COLLATE \"C\"))"
    )
    tables = ask(server, TABLES, dbname).splitlines()
    return {table: ask(server, f"{hashed} FROM {table} t", dbname) for table in tables}


def dump(server: Server, dbname: str, *options: str) -> bytes:
    command = [str(server.programs / "pg_dump"), *options, server.url(dbname)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_it_has_what_a_real_app_has(server: Server) -> None:
    has = {
        "tables": f"SELECT count(*) > 12 FROM ({TABLES}) made",
        "partitions": "SELECT count(*) > 0 FROM pg_partitioned_table",
        "sequences": "SELECT count(*) > 3 FROM pg_sequences",
        "foreign keys": "SELECT count(*) > 10 FROM pg_constraint WHERE contype = 'f'",
        "triggers": "SELECT count(*) > 3 FROM pg_trigger WHERE NOT tgisinternal",
        "enum": "SELECT count(*) > 1 FROM pg_enum",
        "views": "SELECT count(*) = 1 FROM pg_views WHERE schemaname = 'reporting'",
        "materialized views": "SELECT bool_and(ispopulated) FROM pg_matviews",
        "citext": "SELECT extnamespace = 'heroku_ext'::regnamespace"
        " FROM pg_extension WHERE extname = 'citext'",
        "jsonb": "SELECT count(*) > 2 FROM pg_attribute"
        " WHERE atttypid = 'jsonb'::regtype AND attrelid > 16383",
        "quoted names": 'SELECT count("worth €") > 0 FROM "Gift Cards"',
        "unlike cases": "SELECT count(*) = 1 FROM customers"
        " WHERE email OPERATOR(heroku_ext.=) 'CUSTOMER.1@EXAMPLE.COM'",
    }

    assert {name: ask(server, sql) for name, sql in has.items()} == dict.fromkeys(
        has, "t"
    )


def test_every_table_has_rows_at_the_smallest_scale(server: Server) -> None:
    shop.fill(server, "tiny", scale=0)

    counts = {
        name: int(row.split("|")[0]) for name, row in rows(server, "tiny").items()
    }

    assert min(counts.values()) > 0
    assert sum(counts.values()) < 1000


def test_a_large_table_that_nobody_needs_takes_about_half(server: Server) -> None:
    shop.fill(server, "larger", scale=0.1)
    size = "SELECT pg_total_relation_size('audit_events')::float8 / sum("
    size += (
        "pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r' AND oid > 16383"
    )

    assert 0.35 < float(ask(server, size, "larger")) < 0.65


def test_the_rows_are_the_same_each_time(server: Server) -> None:
    shop.fill(server, "again", scale=0.01)

    assert rows(server, "again") == rows(server)


@pytest.mark.parametrize("name", or_skipped(WITH_ICU, POSTGRES))
def test_the_rows_are_the_same_on_another_version(server: Server, name: str) -> None:
    with served(FOLDERS[name]) as another:
        shop.fill(another.server, "shop", scale=0.01)

        assert rows(another.server) == rows(server)


def test_a_dump_made_as_heroku_does_holds_all_of_it(server: Server) -> None:
    archive = dump(server, "shop", "-Fc", *HEROKU, "--exclude-schema=heroku_ext")
    ask(server, "CREATE DATABASE restored", "postgres")
    ask(server, "CREATE SCHEMA heroku_ext", "restored")
    into = ["--no-owner", "--no-acl", "--exit-on-error", "-d", server.url("restored")]
    subprocess.run([server.programs / "pg_restore", *into], check=True, input=archive)

    unlike = ("--restrict-key=x",) if server.version.startswith("18") else ()

    assert dump(server, "restored", *unlike) == dump(server, "shop", *unlike)


def test_the_developer_s_database_is_another_one(server: Server) -> None:
    shop.fill_development(server, "development")

    assert "experiments" in rows(server, "development")
    assert set(rows(server, "development")) < {*rows(server), "experiments"}


def test_a_database_that_is_there_already_is_left_alone(server: Server) -> None:
    with pytest.raises(EmbeddedError, match='database "shop" already exists'):
        shop.fill(server, "shop")
