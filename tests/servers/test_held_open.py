"""What holds a database open and is no client: named beforehand, with what ends it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from databases import FOLDERS, SERVERS, Postgres, served
from dbpull.console import Reporter
from dbpull.embedded.configuration import ALWAYS
from dbpull.errors.target import CannotDrop, HeldOpen
from dbpull.shell.local import Local
from dbpull.target import opened
from dbpull.target.aside import Aside
from dbpull.target.family import refuse_held_open
from dbpull.target.leftovers import Leftover, drop, leftovers
from dbpull.target.member import Member
from dbpull.target.names import Names
from faulty_stand_in import StandIn
from projects import Project
from swaps import WORD, build_aside, comment_now, pull, swap_of, undo, word
from targets import OLD, Target, watched

SETTINGS = {
    "max_prepared_transactions": 5,
    "wal_level": "logical",
    "max_wal_senders": 5,
    "max_replication_slots": 5,
    "wal_retrieve_retry_interval": 100,
}
PREPARED = """
CREATE TABLE IF NOT EXISTS touched (id int);
BEGIN; INSERT INTO touched VALUES (1); PREPARE TRANSACTION '{}';
"""


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """One that replicates and has prepared transactions."""
    monkeypatch = pytest.MonkeyPatch()
    for name, value in SETTINGS.items():
        monkeypatch.setitem(ALWAYS, name, str(value))
    try:
        with served(FOLDERS[request.param]) as postgres:
            yield postgres
    finally:
        monkeypatch.undo()


@contextmanager
def prepared(server: Postgres, dbname: str, gid: str) -> Iterator[None]:
    """A transaction that was prepared and forgotten."""
    server.sql(dbname, PREPARED.format(gid.replace("'", "''")))
    yield
    there = server.sql(
        dbname, f"SELECT count(*) FROM pg_prepared_xacts WHERE database = '{dbname}'"
    )
    if there != "0":
        server.sql(dbname, "ROLLBACK PREPARED '" + gid.replace("'", "''") + "'")


@contextmanager
def subscribed(server: Postgres, dbname: str) -> Iterator[None]:
    """A subscription whose worker holds a database."""
    source = server.database("CREATE TABLE t (); CREATE PUBLICATION p FOR TABLE t")
    server.sql(source, "SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
    folder = server.connection(source).host
    place = f"host={folder} port=5432 user=postgres dbname={source}"
    server.sql(
        dbname,
        "CREATE TABLE IF NOT EXISTS t (); CREATE SUBSCRIPTION news"
        f" CONNECTION '{place}' PUBLICATION p"
        " WITH (create_slot = false, slot_name = s)",
    )
    until(server, "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'")
    try:
        yield
    finally:
        for found in server.sql(
            "postgres",
            "SELECT datname FROM pg_subscription JOIN pg_database d ON d.oid = subdbid",
        ).split():
            server.sql(found, "ALTER SUBSCRIPTION news DISABLE")
            server.sql(found, "ALTER SUBSCRIPTION news SET (slot_name = NONE)")
            server.sql(found, "DROP SUBSCRIPTION news")
        until(server, "SELECT bool_and(NOT active)::int FROM pg_replication_slots")
        server.sql("postgres", "SELECT pg_drop_replication_slot('s')")


def until(server: Postgres, sql: str) -> None:
    for _ in range(200):
        if server.sql("postgres", sql) == "1":
            return
        time.sleep(0.05)
    pytest.fail(f"never: {sql}")


def member(server: Postgres, dbname: str, user: str = "postgres") -> Member:
    """A database with what holds it open."""
    found = server.family(dbname, user).target
    assert found
    return found


def refused(server: Postgres, name: str, dbname: str = "") -> HeldOpen:
    """The error of looking before the work."""
    label = server.connection(name).label
    with pytest.raises(HeldOpen) as raised:
        refuse_held_open([member(server, dbname or name)], label)
    return raised.value


def test_a_prepared_transaction_is_named_and_what_ends_it(server: Postgres) -> None:
    name = server.database()

    with prepared(server, name, "it's left"):
        error = refused(server, name)

    assert f"{name} on this machine is held open by the prepared" in error.what
    assert "transaction 'it''s left'." in error.what
    assert "`ROLLBACK PREPARED 'it''s left'`" in error.remedy
    assert f"in {name} as postgres" in error.remedy


def test_one_elsewhere_is_no_matter(server: Postgres) -> None:
    name, other = server.database(), server.database()

    with prepared(server, other, "other"):
        refuse_held_open([member(server, name)], name)


def test_a_swap_tells_at_once_of_what_came_up_meanwhile(server: Postgres) -> None:
    name = server.database(WORD.format("old"))
    pull(server, name)
    pull(server, name)
    aside = build_aside(server, name)
    before = server.databases()

    for held in (Names(name).target, Names(name).previous):
        with prepared(server, held, "left_over"):
            before_it = server.server.log.stat().st_size
            with pytest.raises(HeldOpen, match=f"{held}.* is held open by.*'left_"):
                swap_of(server, name).to_new(
                    aside.oid, comment=comment_now(), keep_previous=True
                )
            with pytest.raises(HeldOpen, match="'left_over'"):
                undo(server, name)
            # A RENAME would have been tried for 5 seconds, and have failed.
            log = server.server.log.read_bytes()[before_it:]
            assert b"is being accessed by other users" not in log

        assert server.databases() == before
    aside.drop()


def test_an_original_that_is_held_is_told_when_it_is_to_come_back(
    server: Postgres,
) -> None:
    name = server.database(WORD.format("mine"))
    pull(server, name)
    original = Names(name).original(())

    with prepared(server, original, "left_over"):
        with pytest.raises(HeldOpen, match=f"{original} is held open"):
            undo(server, name, original=True)
        pull(server, name)  # which leaves it where it is

    assert word(server, original) == "mine"


def test_a_subscriptions_worker_and_a_slots_reader_are_named(server: Postgres) -> None:
    name = server.database()

    with subscribed(server, name):
        error = refused(server, name)
        refuse_held_open([member(server, name).locked], name)
        source = server.sql(
            "postgres", "SELECT DISTINCT database FROM pg_replication_slots"
        )
        reader = refused(server, name, source)
        # A role that may not see others' sessions is told, too.
        user = server.role("CREATEDB")
        server.sql("postgres", f"ALTER DATABASE {source} OWNER TO {user}")
        with pytest.raises(HeldOpen, match="held open by the replication slot s"):
            refuse_held_open([member(server, source, user)], source)

    assert "is held open by the subscription news." in error.what
    assert f"`ALTER SUBSCRIPTION news DISABLE`, in {name}, ends it" in error.remedy
    assert f"{source} is held open by the replication slot s, which" in reader.what
    assert "pg_terminate_backend(" in reader.remedy


def test_clients_and_the_servers_own_are_none_of_it(server: Postgres) -> None:
    name = server.database("CREATE TABLE t (i int)")
    env = server.connection(name).environment()

    with Local().open([server.program("psql"), "-XAtq"], env=env) as session:
        session.query("SELECT 1;\n")
        refuse_held_open([member(server, name)], name)


def test_what_cannot_be_dropped_is_told_and_in_nobodys_way(server: Postgres) -> None:
    name = server.database(WORD.format("pulled"))
    server.sql("postgres", f"COMMENT ON DATABASE {name} IS '{comment_now()}'")
    old = Names(name).discarded(())

    with subscribed(server, name):
        server.sql(name, "ALTER SUBSCRIPTION news DISABLE")
        until(server, "SELECT 1 - count(pid) FROM pg_stat_subscription")
        pull(server, name)
        with pytest.raises(CannotDrop) as raised:
            pull(server, name)
        assert f"{old} can't be dropped: it is held by the subscription news." == (
            raised.value.what
        )
        assert f"DROP SUBSCRIPTION news`, in {old}," in raised.value.remedy
        assert f'`DROP DATABASE "{old}"`' in raised.value.remedy
        assert server.beside(name) == {"target", "previous", "discarded"}

        for _ in range(2):
            pull(server, name)
            undo(server, name)
        assert server.beside(name) == {"target", "previous", "discarded"}
        server.sql(old, "ALTER SUBSCRIPTION news SET (slot_name = NONE)")
        server.sql(old, "DROP SUBSCRIPTION news")

    psql, state = server.psql(name), server.state(name)
    assert [drop(psql, left) for left in leftovers(psql, state)] == [True]
    assert server.beside(name) == {"target", "previous"}


def test_the_way_that_is_told_does_it(server: Postgres) -> None:
    name = server.database()

    with subscribed(server, name):
        server.sql(name, "ALTER SUBSCRIPTION news DISABLE")
        told = leftover(server, name)
        for statement in told.remedy.split("`")[1].split(";"):
            server.sql(name, statement)
        server.sql("postgres", f"DROP DATABASE {name}")


def leftover(server: Postgres, name: str) -> CannotDrop:
    """The error of dropping a target as if it had served."""
    oid = server.sql(
        "postgres", f"SELECT oid FROM pg_database WHERE datname = '{name}'"
    )
    with pytest.raises(CannotDrop) as raised:
        drop(server.psql(name), Leftover(name, oid, name))
    return raised.value


def clear(server: Postgres, name: str) -> None:
    """The removal of leftovers before a pull."""
    psql, state = server.psql(name), server.state(name)
    opened.clear(opened.Target(Local(), psql, state, "x", embedded=False), Reporter())


def test_half_built_ones_that_can_not_be_dropped_make_way(
    server: Postgres, capsys: pytest.CaptureFixture[str]
) -> None:
    name = server.database(WORD.format("old"))
    aside = Aside(server.psql(name))
    aside.create()

    with subscribed(server, aside.names.aside):
        server.sql(aside.names.aside, "ALTER SUBSCRIPTION news DISABLE")
        until(server, "SELECT 1 - count(pid) FROM pg_stat_subscription")
        clear(server, name)
        assert f"{name}__dbpull_old can't be dropped" in capsys.readouterr().err
        pull(server, name)

    clear(server, name)
    assert server.beside(name) == {"target", "original"}


def test_half_built_ones_that_are_held_are_told(server: Postgres) -> None:
    name = server.database()
    aside = Aside(server.psql(name))
    aside.create()

    with (
        prepared(server, aside.names.aside, "left"),
        pytest.raises(CannotDrop, match="held by the prepared transaction 'left'"),
    ):
        clear(server, name)
    clear(server, name)
    assert server.beside(name) == {"target"}


def test_a_pull_is_refused_before_anything_is_downloaded(
    project: Project, heroku: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ALWAYS, "max_prepared_transactions", "5")
    with watched(FOLDERS["wheel"]) as postgres:
        target = Target(postgres, postgres.database(OLD, name="dev"))
        project.secrets = (*project.secrets, postgres.password)
        pull = ("db.pull", "--app=barren", f"--target={target.url}")
        with prepared(postgres, "dev", "left_over"):
            told = [
                project.invoke(*pull, *words)
                for words in ((), ("--dry-run",), ("--in-place",))
            ]
            told += [project.invoke(*pull, "--in-place", "--dry-run")]

    for ended in told:
        ended.refuses(
            "dev on 127.0.0.1.* is held open by the prepared .* 'left_over'",
            "^`ROLLBACK PREPARED 'left_over'`.*; then run the same command again",
        )
    assert not any(seen.method == "POST" for seen in heroku.requests(path="/backups"))
    assert heroku.total("download").requests == 0
    assert project.dumps() == []
