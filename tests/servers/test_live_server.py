"""Running servers as sources: what is asked and refused before a dump."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from dbpull.errors.live import DumpFailed, LiveError
from dbpull.live import pg_dump, poolers, server, url
from dbpull.live.dumping import dumping
from dbpull.postgres import programs
from dbpull.postgres.psql import Psql
from dbpull.shell.local import Local
from lacking import needs
from poolers import pooled
from targets import Watched
from worlds import World


def psql_of(text: str, program: str) -> Psql:
    return Psql(Local(), program, url.read(text, "the test").connection)


@pytest.fixture
def modern(world: World) -> Watched:
    """The newest server."""
    return world.modern


@pytest.fixture
def dbname(modern: Watched) -> Iterator[str]:
    """A database of a table."""
    yield modern.database("create table orders (id int)", name="live_orders")
    modern.drop_like("live_orders")


@needs("pgbouncer")
@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        ("transaction", ()),
        ("transaction", ("ignore_startup_parameters = options",)),
        ("transaction", ("default_pool_size = 1",)),
        ("statement", ()),
    ],
)
def test_a_transaction_pooler_is_refused(
    modern: Watched, mode: str, settings: tuple[str, ...]
) -> None:
    with pooled(modern, mode, *settings) as place:
        psql = psql_of(f"postgres://u@{place}/postgres", modern.program("psql"))
        with pytest.raises(LiveError) as caught:
            poolers.refuse_pooler(psql)

    assert "is a transaction pooler" in caught.value.what
    assert "direct address" in caught.value.remedy


@needs("pgbouncer")
@pytest.mark.parametrize("connections", [2, 3, 4])
def test_a_transaction_pooler_is_refused_whose_connections_take_turns(
    modern: Watched, dbname: str, connections: int
) -> None:
    settings = ("ignore_startup_parameters = options", "server_round_robin = 1")
    open_ones = f"select count(*) from pg_stat_activity where datname = '{dbname}'"
    with pooled(modern, "transaction", *settings) as place:
        psql = psql_of(f"postgres://u@{place}/{dbname}", modern.program("psql"))
        with ExitStack() as at_once:
            opening = [psql.conversation(name="app") for _ in range(connections)]
            sessions = [at_once.enter_context(session) for session in opening]
            for sql in ("BEGIN", "COMMIT"):
                for session in sessions:
                    session.query(f"{sql};\nSELECT 1;\n")
        assert modern.sql("postgres", open_ones) == str(connections)

        with pytest.raises(LiveError, match="is a transaction pooler"):
            poolers.refuse_pooler(psql)


@needs("pgbouncer")
@pytest.mark.parametrize(
    ("settings", "takes_options"),
    [((), False), (("ignore_startup_parameters = options",), True)],
)
def test_a_session_pooler_is_taken(
    modern: Watched, settings: tuple[str, ...], takes_options: bool
) -> None:
    with pooled(modern, "session", *settings) as place:
        psql = psql_of(f"postgres://u@{place}/postgres", modern.program("psql"))
        found = poolers.refuse_pooler(psql)

        assert found.connection.takes_options == takes_options
        facts = server.ask(found)
        assert facts.dbname == "postgres"
        assert facts.connections(4) == 1


def test_a_server_itself_is_taken_and_tells_of_itself(modern: Watched) -> None:
    psql = psql_of(modern.url("postgres"), modern.program("psql"))
    found = poolers.refuse_pooler(psql)
    facts = server.ask(found)

    assert found.connection.takes_options
    assert (facts.major, facts.role) == (modern.major, "postgres")
    assert facts.system_identifier == modern.sql(
        "postgres", "select system_identifier from pg_control_system()"
    )
    assert (facts.size or 0) > 1_000_000
    assert "client_connection_check_interval" in facts.options
    assert facts.connections(4) == 4
    assert not facts.is_replica
    assert not facts.is_encrypted


def test_who_holds_a_lock_is_told(modern: Watched, dbname: str) -> None:
    psql = psql_of(modern.url(dbname), modern.program("psql"))
    program = programs.Program(modern.program("pg_dump"), modern.major)
    argv = pg_dump.argv(program, psql.connection)
    waits = argv.index("--lock-wait-timeout=30s")
    argv[waits] = "--lock-wait-timeout=100ms"

    with modern.session(dbname, "begin", "lock table orders") as holder:
        pid = holder.ask("select pg_backend_pid()")
        with dumping(argv, server.ask(psql), psql) as printed:
            while printed.read(1 << 16):
                pass
            with pytest.raises(DumpFailed) as caught:
                printed.finish()

    assert f"Locks are held by {pid} (postgres" in caught.value.what
    assert "a migration" in caught.value.remedy


def test_the_first_of_several_hosts_that_answers_is_taken(modern: Watched) -> None:
    right = modern.url("postgres")
    several = right.replace("@127.0.0.1:", "@127.0.0.1:1,127.0.0.1:")
    psql = psql_of(f"{several}?target_session_attrs=any", modern.program("psql"))

    assert server.ask(poolers.refuse_pooler(psql)).dbname == "postgres"


def test_a_dump_ends_with_its_context(modern: Watched, dbname: str) -> None:
    psql = psql_of(modern.url(dbname), modern.program("psql"))
    program = programs.Program(modern.program("pg_dump"), modern.major)
    facts = server.ask(psql)
    there = f"select count(*) from pg_stat_activity where datname = '{dbname}'"

    with (
        modern.session(dbname, "begin", "lock table orders"),
        dumping(pg_dump.argv(program, psql.connection), facts, psql),
    ):
        wait(lambda: modern.sql("postgres", there) == "2")
    wait(lambda: modern.sql("postgres", there) == "0")


def wait(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
