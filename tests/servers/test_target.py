"""The database to be replaced, on real servers: its state, lock, aside and swap."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from databases import FOLDERS, SINCE_17, WITH_ICU, Postgres
from dbpull.errors.postgres import CannotConnect, SqlFailed
from dbpull.errors.target import (
    LockLost,
    NameTaken,
    NotOwner,
    StillConnected,
    TargetError,
)
from dbpull.shell.local import Local
from dbpull.sources.kinds import PLATFORM
from dbpull.target import lock
from dbpull.target.aside import PRIVILEGES, Aside
from dbpull.target.database_settings import SearchPath, settle
from dbpull.target.leftovers import Leftover, drop, leftovers
from dbpull.target.names import Names
from dbpull.target.provenance import Provenance, unfinished
from dbpull.target.state import inspect, refuse_powerless
from dbpull.target.swap import Swap
from lacking import POSTGRES, or_skipped
from swaps import WORD, build_aside, comment_now, discard, pull, swap_of, undo, word

AWKWARD = 'KÄse "und" it\'s \\ %&=://' + "ß" * 19  # 63 bytes
COMMENT = comment_now()
NO_SEARCH_PATH = SearchPath(PLATFORM, wanted=False)


@contextmanager
def aside_of(postgres: Postgres, target: str) -> Iterator[Aside]:
    """An aside database as the flow makes it; gone afterwards."""
    aside = Aside(postgres.psql(target))
    aside.create()
    settle(aside.psql, aside.names.aside, NO_SEARCH_PATH, copied=True)
    yield aside
    aside.drop()


@contextmanager
def connected(
    postgres: Postgres, dbname: str, user: str = "postgres"
) -> Iterator[None]:
    """A session that does nothing."""
    env = postgres.connection(dbname, user).environment()
    with Local().open([postgres.program("psql"), "-XAtq"], env=env) as session:
        assert session.query("SELECT 'there';\n").strip() == "there"
        yield


# State


def test_the_state_tells_what_the_server_and_the_target_are(postgres: Postgres) -> None:
    name = postgres.database("CREATE TABLE t ()")
    postgres.sql("postgres", f"COMMENT ON DATABASE {name} IS 'mine'")

    state = postgres.state(name)

    assert state.major == postgres.major
    assert (state.user, state.superuser, state.createdb) == ("postgres", True, True)
    assert (state.exists, state.owner, state.comment) == (True, "postgres", "mine")
    assert (state.size or 0) > 1_000_000
    assert state.extensions["plpgsql"]
    assert state.extensions["citext"]
    assert not state.standby
    assert state.folder == str(postgres.server.data)


def test_a_target_that_does_not_exist_has_a_state_too(postgres: Postgres) -> None:
    state = postgres.state("nowhere")

    assert not state.exists
    assert (state.owner, state.size, state.comment) == (None, None, None)
    refuse_powerless(state, "nowhere")


def test_a_role_without_createdb_is_refused_and_offered_in_place(
    postgres: Postgres,
) -> None:
    role = postgres.role()
    name = postgres.database(options=f"OWNER {role}")

    with pytest.raises(TargetError, match="--in-place"):
        refuse_powerless(postgres.state(name, role), name)


def test_a_target_of_another_role_is_refused_unless_we_belong_to_it(
    postgres: Postgres,
) -> None:
    owner, role = postgres.role(), postgres.role("CREATEDB")
    name = postgres.database(options=f"OWNER {owner}")

    with pytest.raises(NotOwner, match=f'GRANT "{owner}" TO "{role}"'):
        refuse_powerless(postgres.state(name, role), name)

    postgres.sql("postgres", f"GRANT {owner} TO {role}")
    refuse_powerless(postgres.state(name, role), name)


def test_a_role_that_may_not_use_postgres_is_served_by_template1(
    postgres: Postgres,
) -> None:
    role = postgres.role("CREATEDB")
    name = postgres.database(options=f"OWNER {role}")
    postgres.sql("postgres", "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
    try:
        psql, _ = inspect(postgres.psql(name, role))
        assert psql.maintenance == "template1"
    finally:
        postgres.sql("postgres", "GRANT CONNECT ON DATABASE postgres TO PUBLIC")


def test_a_server_that_is_down_is_told_with_the_target(postgres_18: Postgres) -> None:
    psql = postgres_18.psql("shop")
    nobody = replace(psql, connection=replace(psql.connection, port=1))

    with pytest.raises(CannotConnect, match="shop on this machine:1 can't be reached"):
        nobody.run("SELECT 1", doing="x")


# SQL through psql


def test_no_value_can_end_the_statement_it_is_used_in(postgres_18: Postgres) -> None:
    evil = "x'; DROP TABLE t; -- \" \\ :'y' $1 \n%s"

    rows = postgres_18.psql("postgres").run(
        'SELECT :\'v\', :"v" FROM (SELECT 1 AS :"v") s;', doing="x", v=evil
    )

    assert rows == [[evil, "1"]]


def test_rows_keep_empty_fields_tabs_and_bars(postgres_18: Postgres) -> None:
    sql = "VALUES ('', E'a\\tb|c', NULL), ('1', E'two\\nlines', '2');"

    rows = postgres_18.psql("postgres").run(sql, doing="x")

    assert rows == [["", "a\tb|c", ""], ["1", "two\nlines", "2"]]
    assert postgres_18.psql("postgres").run("SELECT 1 WHERE false;", doing="x") == []


def test_a_failing_statement_is_told_with_the_servers_reason(
    postgres_18: Postgres,
) -> None:
    with pytest.raises(SqlFailed, match=r"Looking failed on .*division by zero"):
        postgres_18.psql("postgres").run("SELECT 1/0;", doing="Looking")


def test_limits_that_a_role_comes_with_do_not_meet_us(postgres_18: Postgres) -> None:
    role = postgres_18.role()
    postgres_18.sql("postgres", f"ALTER ROLE {role} SET statement_timeout = 1")

    rows = postgres_18.psql("postgres", role).run(
        "SELECT pg_sleep(0.02), 'ok';", doing="x"
    )

    assert rows == [["", "ok"]]


# Lock


def test_a_second_pull_of_a_target_is_told_who_is_at_work(postgres: Postgres) -> None:
    psql = postgres.psql("shop")

    with (
        lock.held(psql),
        pytest.raises(TargetError, match=rf"by dbpull of .*@.* \(pid {os.getpid()}\)"),
        lock.held(psql),
    ):
        pytest.fail("two at a time")


def test_pulls_of_two_targets_do_not_meet(postgres_18: Postgres) -> None:
    with lock.held(postgres_18.psql("a")), lock.held(postgres_18.psql("b")):
        assert not is_free(postgres_18, "a")
        assert is_free(postgres_18, "c")


def test_a_lock_is_gone_with_its_context_even_after_an_error(
    postgres_18: Postgres,
) -> None:
    psql = postgres_18.psql("shop")

    with pytest.raises(RuntimeError), lock.held(psql):
        raise RuntimeError

    assert eventually(lambda: is_free(postgres_18, "shop"))


MANY_TEMPORARY = """
DO $$ BEGIN FOR i IN 1..1000 LOOP
  EXECUTE format('CREATE TEMPORARY TABLE t%s ()', i);
END LOOP; END $$;
SELECT 'made';
"""


def test_a_lock_is_free_as_soon_as_its_context_has_ended(postgres_18: Postgres) -> None:
    """A server ends a session after its program; this one has some work to do then."""
    taken = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    env = postgres_18.connection("postgres").environment()
    with Local().open([postgres_18.program("psql"), "-XAtq"], env=env) as looking:
        with lock.held(postgres_18.psql("shop")) as held:
            assert held.query(MANY_TEMPORARY) == "made"
            assert looking.query(f"{taken};\n") == "1\n"
        assert looking.query(f"{taken};\n") == "0\n"


def test_a_lock_that_was_lost_is_noticed(postgres_18: Postgres) -> None:
    psql = postgres_18.psql("shop")

    with lock.held(psql) as held:
        held.refuse_lost()
        postgres_18.sql(
            "postgres",
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
            " WHERE locktype = 'advisory'",
        )
        with pytest.raises(LockLost, match=r"lock on shop .* was lost"):
            held.refuse_lost()


def test_a_pull_from_another_maintenance_database_is_seen_too(
    postgres_18: Postgres,
) -> None:
    psql = postgres_18.psql("shop")
    elsewhere = replace(psql, maintenance="template1")

    with (
        lock.held(psql),
        pytest.raises(TargetError, match=rf"\(pid {os.getpid()}\)"),
        lock.held(elsewhere),
    ):
        pytest.fail("two at a time")


def test_a_lock_is_gone_when_its_holder_was_killed(postgres: Postgres) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLDER,
            postgres.program("psql"),
            postgres.server.url("shop"),
        ],
        stdout=subprocess.PIPE,
    )
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        assert not is_free(postgres, "shop")
        holder.send_signal(signal.SIGKILL)

    assert eventually(lambda: is_free(postgres, "shop"))


def is_free(postgres: Postgres, target: str) -> bool:
    # Not the session's: its server would hold that for a moment after psql's end.
    ours = f"(hashtext('dbpull'), hashtext('{target}'))"
    return postgres.sql("postgres", f"SELECT pg_try_advisory_xact_lock{ours}") == "t"


HOLDER = """
import sys, time
from dbpull.postgres.connection import Connection
from dbpull.postgres.psql import Psql
from dbpull.shell.local import Local
from dbpull.sources.kinds import PLATFORM
from dbpull.target import lock, state
psql = Psql(Local(), sys.argv[1], Connection.from_url(sys.argv[2], "x"))
with lock.held(state.inspect(psql)[0]):
    print("held", flush=True)
    time.sleep(60)
"""


def eventually(what: object) -> bool:
    """Whether something comes true; a session's end takes the server a moment."""
    assert callable(what)
    pause = threading.Event()
    return any(what() or pause.wait(0.02) for _ in range(500))


# Aside

DESCRIPTION = """
SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype,
  to_jsonb(d)->>'datlocprovider', to_jsonb(d)->>'datlocale',
  to_jsonb(d)->>'daticulocale', datconnlimit,
  (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(datacl) a),
  (SELECT array_agg(setrole::regrole || ':' || setconfig::text ORDER BY setrole)
   FROM pg_db_role_setting WHERE setdatabase = d.oid)
FROM pg_database d WHERE datname = :'name';
"""


def describe(postgres: Postgres, name: str) -> list[str]:
    return postgres.psql("postgres").run(DESCRIPTION, doing="x", name=name)[0]


def test_the_aside_database_is_like_the_target_in_all_but_its_content(
    postgres: Postgres,
) -> None:
    owner, reader = postgres.role(), postgres.role()
    name = postgres.database(
        WORD.format("old"),
        options=f"TEMPLATE template0 OWNER {owner} ENCODING 'SQL_ASCII'"
        " LC_COLLATE 'C' LC_CTYPE 'C' CONNECTION LIMIT 7",
    )
    postgres.sql(
        "postgres",
        f"""REVOKE ALL ON DATABASE {name} FROM PUBLIC;
        GRANT CONNECT ON DATABASE {name} TO {reader};
        GRANT CREATE ON DATABASE {name} TO {reader} WITH GRANT OPTION;
        ALTER DATABASE {name} SET search_path = "$user", app, "it's", public;
        ALTER DATABASE {name} SET work_mem = '7MB';
        ALTER DATABASE {name} SET "my.word" = 'it''s "a, b"';
        ALTER DATABASE {name} SET temp_tablespaces = '';
        ALTER DATABASE {name} SET default_transaction_read_only = on;
        ALTER ROLE {reader} IN DATABASE {name} SET search_path = '';""",
    )

    with aside_of(postgres, name) as aside:
        assert describe(postgres, aside.names.aside) == describe(postgres, name)
        path = postgres.sql(aside.names.aside, "SHOW search_path")
        assert path == '"$user", app, "it\'s", public'
        assert postgres.sql(aside.names.aside, "SELECT to_regclass('word')") == ""


@pytest.mark.parametrize("postgres", or_skipped(WITH_ICU, POSTGRES), indirect=True)
def test_an_icu_locale_is_kept(postgres: Postgres) -> None:
    name = postgres.database(
        options="TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de-u-co-phonebk'"
    )

    with aside_of(postgres, name) as aside:
        assert describe(postgres, aside.names.aside) == describe(postgres, name)


@pytest.mark.parametrize("postgres", SINCE_17, indirect=True)
def test_a_builtin_locale_is_kept(postgres: Postgres) -> None:
    name = postgres.database(
        options="TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'"
    )

    with aside_of(postgres, name) as aside:
        assert describe(postgres, aside.names.aside) == describe(postgres, name)


def test_a_target_that_does_not_exist_is_simply_created(postgres_18: Postgres) -> None:
    pull(postgres_18, "brand-new")

    assert postgres_18.beside("brand-new") == {"target"}
    assert word(postgres_18, "brand-new") == "new"


def test_a_dropped_aside_database_is_gone_with_its_sessions(
    postgres_18: Postgres,
) -> None:
    name = postgres_18.database()
    aside = build_aside(postgres_18, name)

    with connected(postgres_18, aside.names.aside):
        aside.drop()

    assert postgres_18.beside(name) == {"target"}
    aside.drop()


def test_an_aside_database_that_fails_after_its_creation_can_be_dropped(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = postgres.database()
    grants = PRIVILEGES.replace("SELECT format", "SELECT 1/0;\nSELECT format", 1)
    monkeypatch.setattr("dbpull.target.aside.PRIVILEGES", grants)
    aside = Aside(postgres.psql(name))

    with pytest.raises(SqlFailed, match=r"Creating .* failed .*: division by zero\."):
        aside.create()
    aside.drop()

    assert postgres.beside(name) == {"target"}


def test_what_a_crashed_run_left_is_found_and_dropped(postgres_18: Postgres) -> None:
    name, other = postgres_18.database(), postgres_18.database()
    for target in (name, other):
        build_aside(postgres_18, target)
    psql, state = postgres_18.psql(name), postgres_18.state(name)

    found = leftovers(psql, state)

    assert {left.dbname for left in found} == {Names(name).aside, Names(other).aside}
    assert all(drop(psql, left) for left in found)
    assert postgres_18.beside(name) == postgres_18.beside(other) == {"target"}


def test_what_another_run_is_building_is_left_alone(postgres_18: Postgres) -> None:
    name, other = postgres_18.database(), postgres_18.database()
    aside = build_aside(postgres_18, other)
    psql, state = postgres_18.psql(name), postgres_18.state(name)

    with lock.held(postgres_18.psql(other)):
        (found,) = leftovers(psql, state)
        assert not drop(psql, found)

    assert postgres_18.beside(other) == {"target", "aside"}
    aside.drop()


def test_what_belongs_to_another_role_is_left_to_it(postgres_18: Postgres) -> None:
    mine, theirs = postgres_18.role("CREATEDB"), postgres_18.role("CREATEDB")
    name = postgres_18.database(options=f"OWNER {mine}")
    other = postgres_18.database(options=f"OWNER {theirs}")
    aside = build_aside(postgres_18, other, theirs)

    found = leftovers(postgres_18.psql(name, mine), postgres_18.state(name, mine))

    assert found == []
    aside.drop()


def test_an_aside_database_that_was_not_yet_marked_is_a_leftover(
    postgres_18: Postgres,
) -> None:
    name = postgres_18.database()
    left = postgres_18.database(name=Names(name).aside)

    psql, state = postgres_18.psql(name), postgres_18.state(name)
    found = leftovers(psql, state)

    assert [one.dbname for one in found] == [left]
    assert drop(psql, found[0])


@pytest.mark.parametrize("kind", ["aside", "previous"])
def test_somebody_elses_database_with_a_name_of_ours_is_refused_and_kept(
    postgres_18: Postgres, kind: str
) -> None:
    name = postgres_18.database()
    theirs = postgres_18.database(WORD.format("mine"), name=getattr(Names(name), kind))

    with pytest.raises(NameTaken, match=theirs):
        leftovers(postgres_18.psql(name), postgres_18.state(name))

    assert word(postgres_18, theirs) == "mine"
    # Nor does a pull of another target touch it.
    assert leftovers(postgres_18.psql("other"), postgres_18.state("other")) == []
    postgres_18.sql("postgres", f"DROP DATABASE {theirs}")


# Swap


def test_a_pull_and_undo_of_the_most_awkward_name(postgres: Postgres) -> None:
    name = postgres.database(WORD.format("old"), name=AWKWARD)
    original = Names(name).original(())
    quoted = '"' + name.replace('"', '""') + '"'
    postgres.sql("postgres", f"COMMENT ON DATABASE {quoted} IS 'it''s mine'")

    pull(postgres, name)

    assert word(postgres, name) == "new"
    assert word(postgres, original) == "old"
    assert postgres.beside(name) == {"target", "original"}
    told = Provenance.from_comment(postgres.state(name).comment)
    assert told
    assert told.backup == "b7"

    undo(postgres, name)
    assert word(postgres, name) == "old"
    assert postgres.state(name).comment == "it's mine"
    assert word(postgres, Names(name).previous) == "new"

    undo(postgres, name)
    assert word(postgres, name) == "new"
    assert word(postgres, original) == "old"
    assert postgres.beside(name) == {"target", "original"}


def test_the_swap_takes_the_mark_away_and_the_old_one_is_a_leftover_until_it_is_dropped(
    postgres_18: Postgres,
) -> None:
    name = postgres_18.database()
    postgres_18.sql("postgres", f"COMMENT ON DATABASE {name} IS '{comment_now()}'")
    aside = build_aside(postgres_18, name)
    assert postgres_18.state(aside.names.aside).comment == unfinished(name)
    swap = swap_of(postgres_18, name)
    moves = swap.to_new(aside.oid, comment=COMMENT, keep_previous=False)

    assert postgres_18.state(name).comment == COMMENT
    assert postgres_18.beside(name) == {"target", "discarded"}
    (found,) = leftovers(postgres_18.psql(name), postgres_18.state(name))
    assert found == Leftover(Names(name).discarded(()), found.oid, name)
    discard(swap, moves)


def test_undo_works_after_the_target_was_dropped_by_hand(postgres_18: Postgres) -> None:
    name = postgres_18.database(WORD.format("old"))
    pull(postgres_18, name)
    postgres_18.sql("postgres", f"DROP DATABASE {name}")

    undo(postgres_18, name)

    assert word(postgres_18, name) == "old"
    assert postgres_18.beside(name) == {"target"}


def test_sessions_on_the_target_are_ended(postgres: Postgres) -> None:
    name = postgres.database(WORD.format("old"))

    with connected(postgres, name), connected(postgres, name):
        pull(postgres, name)

    assert word(postgres, name) == "new"


def test_a_client_that_connects_all_the_time_does_not_stop_the_swap(
    postgres: Postgres,
) -> None:
    name = postgres.database(WORD.format("old"))
    aside = build_aside(postgres, name)
    stop, swapped = threading.Event(), threading.Event()
    seen: list[tuple[bool, str]] = []
    # Debian's takes three times as long to start.
    program = str(FOLDERS.get("wheel", postgres.folder) / "psql")

    def connect() -> None:
        while not stop.is_set():
            argv = [program, "-XAtqc", "SELECT of FROM word"]
            env = postgres.connection(name).environment()
            after = swapped.is_set()
            seen.append((after, Local().run(argv, env=env).out.strip()))

    clients = [threading.Thread(target=connect) for _ in range(3)]
    for client in clients:
        client.start()
    try:
        swap = swap_of(postgres, name)
        swap.to_new(aside.oid, comment=COMMENT, keep_previous=True)
        swapped.set()
        eventually(lambda: sum(after for after, _ in seen) > 5)
    finally:
        stop.set()
        for client in clients:
            client.join()

    assert word(postgres, name) == "new"
    assert {word for _, word in seen} <= {"old", "new", ""}
    # Who asked before may be answered after: only what was asked after counts.
    assert {word for after, word in seen if after} == {"new"}


def test_a_swap_that_fails_half_way_changes_nothing(
    postgres_18: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbpull.target.swap.TRIES", 2)
    monkeypatch.setattr("dbpull.target.renames._COMMENT", "SELECT 1/0;")
    name = postgres_18.database(WORD.format("old"))
    aside = build_aside(postgres_18, name)
    before = postgres_18.databases()

    # All renames have been made by then.
    with pytest.raises(SqlFailed, match=r"Swapping failed.*division by zero"):
        swap_of(postgres_18, name).to_new(
            aside.oid, comment=COMMENT, keep_previous=True
        )

    assert postgres_18.databases() == before
    assert word(postgres_18, name) == "old"
    aside.drop()


@pytest.mark.parametrize("there", [True, False], ids=["another", "none"])
def test_only_the_database_that_was_built_is_swapped_in_or_dropped(
    postgres_18: Postgres, *, there: bool
) -> None:
    name = postgres_18.database(WORD.format("old"))
    aside = build_aside(postgres_18, name)
    postgres_18.sql("postgres", f"DROP DATABASE {aside.names.aside}")
    if there:  # made by another pull, whose lock we don't have
        postgres_18.database(WORD.format("half"), name=aside.names.aside)
    before = postgres_18.databases()

    with pytest.raises(LockLost):
        swap_of(postgres_18, name).to_new(
            aside.oid, comment=COMMENT, keep_previous=True
        )
    aside.drop()

    assert postgres_18.databases() == before
    assert word(postgres_18, name) == "old"
    postgres_18.sql("postgres", f"DROP DATABASE IF EXISTS {aside.names.aside}")


def test_sessions_that_can_not_be_ended_are_named(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dbpull.target.swap.TRIES", 2)
    role, other = postgres.role("CREATEDB"), postgres.role()
    name = postgres.database(WORD.format("old"), options=f"OWNER {role}")
    psql = postgres.psql(name, role)
    aside = Aside(psql)
    aside.create()

    swap = swap_of(postgres, name, role)
    with (
        connected(postgres, name, other),
        pytest.raises(StillConnected, match=f"dbpull of {other}"),
    ):
        swap.to_new(aside.oid, comment=COMMENT, keep_previous=True)

    assert postgres.beside(name) == {"target", "aside"}
    assert word(postgres, name) == "old"
    aside.drop()


def test_an_owner_that_is_no_superuser_can_pull(postgres: Postgres) -> None:
    role = postgres.role("CREATEDB")
    name = postgres.database(WORD.format("old"), options=f"OWNER {role}")
    psql, state = postgres.psql(name, role), postgres.state(name, role)

    with lock.held(psql), connected(postgres, name, role):
        aside = Aside(psql)
        aside.create()
        settle(psql, aside.names.aside, NO_SEARCH_PATH, copied=True)
        swap = Swap(psql, state, psql.query)
        swap.to_new(aside.oid, comment=COMMENT, keep_previous=True)

    assert postgres.state(name).owner == role
    assert postgres.beside(name) == {"target", "original"}
