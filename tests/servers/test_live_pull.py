"""Whole pulls from running servers: `--source=postgres://…`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from databases import FOLDERS
from databases import OLD as BEFORE_17
from dbpull import archive
from forwarder import command
from lacking import OLD_POSTGRES, needs
from poolers import pooled
from projects import Ended, Project
from silences import until
from stagings import only_encrypted
from targets import Target, Watched
from worlds import World

SHOP = """
create table orders (id int primary key, note text);
insert into orders select g, 'note ' || g from generate_series(1, 1000) g;
create table sessions (id int primary key, data text);
insert into sessions select g, 'x' from generate_series(1, 10) g;
create schema audit;
create table audit.log (id int, at date) partition by range (at);
create table audit.log_2026 partition of audit.log
  for values from ('2026-01-01') to ('2027-01-01');
insert into audit.log values (1, '2026-05-05');
create table audit."Logins *|(" (id int);
insert into audit."Logins *|(" values (1);
create table audit."Logins  (" as select 1 as id;
create table audit.sequenced (id serial);
"""
OURS = """select count(*) from pg_stat_activity
  where application_name = 'dbpull' and datname = '{}'"""
CANCELLED = """#!/bin/sh
case "$*" in *--version*|*--host=*) exec {real} "$@";; esac
echo x >>{count}
[ $(wc -l <{count}) -gt $CONFLICTS ] && exec {real} "$@"
{real} "$@" | head -c $CUT
while [ -n "$AWAITED" ] && [ ! -e "$AWAITED" ]; do sleep 0.05; done
echo 'pg_dump: error: Dumping the contents of table "orders" failed.
pg_dump: detail: Error message from server: ERROR:  canceling statement due to conflict\
 with recovery' >&2
exit 1
"""
"""A pg_dump that a replica cancels, $CONFLICTS times, once $AWAITED is there."""
needs_old = pytest.mark.skipif(not BEFORE_17, reason=OLD_POSTGRES)


@dataclass
class Pulling:
    """A database of a running server, and what is to become its copy."""

    server: Watched
    dbname: str
    target: Target
    project: Project

    @property
    def url(self) -> str:
        """The source's URL, with its password."""
        return self.server.url(self.dbname)

    @property
    def sessions(self) -> str:
        """SQL for how many of ours it has."""
        return OURS.format(self.dbname)

    @property
    def place(self) -> str:
        """The server's address."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    def pull(self, source: str = "", *words: str, **more: str) -> Ended:
        """Pull the source, by its own URL if no other is given."""
        return self.project.invoke(
            "db.pull", f"--source={source or self.url}", *words, **more
        )

    def is_the_same(self) -> None:
        """Assert that the target equals the source."""
        assert self._likeness(self.target) == self._likeness(self)

    def _likeness(self, of: Target | Pulling) -> str:
        postgres, name = (
            (of.postgres, of.name) if isinstance(of, Target) else (of.server, of.dbname)
        )
        return postgres.likeness(name, FOLDERS["wheel"])


Make = Callable[..., Pulling]


@pytest.fixture
def make(tmp_path: Path, world: World, target: Target) -> Iterator[Make]:
    """Make a source and a project that pulls it, once in a test."""
    with ExitStack() as stack:

        def made(source: str = "wheel") -> Pulling:
            server = world.modern if source == "wheel" else world.others[int(source)]
            project = Project.at(tmp_path / "project", DATABASE_URL=target.url)
            project.secrets = world.secrets
            stack.callback(project.close)
            stack.callback(server.drop_like, "live_shop")
            dbname = server.database(SHOP, name="live_shop")
            return Pulling(server, dbname, target, project)

        yield made


def test_a_plan_dumps_nothing_and_a_pull_tells_of_its_transaction(make: Make) -> None:
    pulling = make()
    with pulling.target.unasked():
        planned = pulling.pull("", "--dry-run").succeeds()

    assert "pg_dump --format=custom --no-owner --no-acl" in planned.err
    assert "one transaction" in planned.err
    assert pulling.project.dumps() == []
    ended = pulling.pull().succeeds()

    pulling.is_the_same()
    assert "is read in one transaction" in ended.err
    assert "can't be resumed" in ended.err
    assert "no longer read" in ended.err
    # A server ends a session a moment after its program.
    until(lambda: pulling.server.sql("postgres", pulling.sessions) == "0")


@needs_old
def test_a_server_that_is_another_is_found_out_by_its_certificate(
    make: Make, tmp_path: Path
) -> None:
    pulling, other = make(BEFORE_17), tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    source = pulling.url.replace("127.0.0.1", "localhost") + "?sslmode=verify-full"
    with only_encrypted(pulling.server, pulling.dbname, tmp_path):
        refused = pulling.pull(f"{source}&sslrootcert={other}")
        unencrypted = pulling.pull(f"{pulling.url}?sslmode=disable")

    refused.refuses("certificate verify failed", "sslrootcert=FILE")
    unencrypted.refuses("pg_hba.conf rejects connection", "TLS")


@needs("pgbouncer")
def test_a_pooler_in_transaction_mode_is_refused(make: Make) -> None:
    pulling = make()
    with (
        pooled(pulling.server, "transaction") as place,
        pulling.target.unasked(),
    ):
        ended = pulling.pull(f"postgres://u@{place}/{pulling.dbname}")

    ended.refuses("is a transaction pooler", "direct address")
    assert pulling.project.dumps() == []


@needs("pgbouncer")
def test_a_pooler_in_session_mode_serves(make: Make) -> None:
    pulling = make()
    with pooled(pulling.server, "session") as place:
        pulling.pull(f"postgresql+psycopg://u@{place}/{pulling.dbname}").succeeds()

    pulling.is_the_same()


def test_rows_that_are_not_wanted_stay_there(make: Make) -> None:
    pulling = make()
    pulling.project.configure(
        'db: {skip_data: ["session?", "audit.log*", "audit.Lo*|*"]}'
    )
    like = "create table session_like as select 1 as id"
    pulling.server.sql(pulling.dbname, like)
    ended = pulling.pull().succeeds()

    assert "Rows of 3 tables stay there" in ended.err
    lacking = "Without the rows of "
    assert lacking in ended.err
    pulling.project.configure("")
    again = pulling.pull().succeeds()
    assert f"{lacking}audit.Logins *|(, audit.log_2026, public.sessions." in again.err
    counts = (
        "select (select count(*) from orders), (select count(*) from sessions),"
        " (select count(*) from session_like), (select count(*) from audit.log),"
        ' (select count(*) from audit."Logins *|("),'
        ' (select count(*) from audit."Logins  (")'
    )
    assert pulling.target.sql(counts) == "1000|0|1|0|0|1"


@needs_old
def test_what_a_role_may_not_read_is_told_before(make: Make) -> None:
    pulling = make(BEFORE_17)
    role = pulling.server.role("password 's3cretly'")
    source = f"postgres://{role}:s3cretly@{pulling.place}/{pulling.dbname}"

    def grant(sql: str) -> None:
        pulling.server.sql(pulling.dbname, sql)

    with pulling.target.unasked():
        pulling.pull(source).refuses("may not use the schema audit", "pg_read_all_data")
        grant(f"grant usage on schema audit to {role}")
        pulling.pull(source).refuses("may not read 7 tables .* audit.log,", "GRANT")
        grant(f"grant select on all tables in schema public, audit to {role}")
        pulling.pull(source).refuses("may not read 1 sequence", "GRANT")
        grant(f"grant pg_read_all_data to {role}")
        grant("alter table orders enable row level security")
        pulling.pull(source).refuses("hides rows .* public.orders", "BYPASSRLS")
    pulling.project.configure("db: {skip_data: [orders]}")
    pulling.pull(source).succeeds()
    assert pulling.target.sql("select count(*) from orders") == "0"


def test_a_dump_waits_for_a_lock_under_our_name(make: Make) -> None:
    pulling = make()
    with pulling.server.session(pulling.dbname, "begin", "lock table orders") as held:
        run = pulling.project.start("db.pull", f"--source={pulling.url}")
        waits = f"{pulling.sessions} and wait_event_type = 'Lock'"
        run.until(lambda: pulling.server.sql("postgres", waits) == "1", "a lock")
        assert "Waiting for the first bytes of" in run.err
        held.ask("commit")
        run.end().succeeds()

    pulling.is_the_same()


def test_the_transaction_ends_before_the_restore(make: Make) -> None:
    pulling = make()
    slow = "'select $1 from pg_sleep(600)'"
    pulling.server.sql(
        pulling.dbname,
        "create function slow(int) returns int immutable language sql as 'select $1';"
        "create index slowly on orders (slow(id));"
        "create or replace function slow(int) returns int immutable language sql"
        f" as {slow};",
    )
    run = pulling.project.start("db.pull", f"--source={pulling.url}")
    run.says("no longer read")
    run.until(lambda: pulling.server.sql("postgres", pulling.sessions) == "0", "an end")

    assert run.process.poll() is None
    run.signal(2)
    assert run.end().code == 130


def cancelled(pulling: Pulling, folder: Path) -> dict[str, str]:
    """The variables of a run whose pg_dump is cancelled."""
    program = folder / "bin" / "pg_dump"
    program.parent.mkdir()
    real = pulling.server.program("pg_dump")
    program.write_text(CANCELLED.format(real=real, count=folder / "count"))
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "CUT": "100", "CONFLICTS": "1"}


def test_a_replicas_conflict_is_tried_once_more(make: Make, tmp_path: Path) -> None:
    pulling = make()
    variables = cancelled(pulling, tmp_path)

    ended = pulling.pull(**variables).succeeds()
    assert "Starting over" in ended.err
    pulling.is_the_same()

    (tmp_path / "count").unlink()
    again = pulling.pull("", "--capture", **variables | {"CONFLICTS": "2"})
    again.refuses("conflict with recovery", "hot_standby_feedback")


def test_what_was_restored_of_a_cancelled_dump_does_not_count(
    make: Make, tmp_path: Path
) -> None:
    pulling, go = make(), tmp_path / "go"
    variables = cancelled(pulling, tmp_path) | {"CUT": "-99", "AWAITED": str(go)}
    run = pulling.project.start("db.pull", f"--source={pulling.url}", **variables)
    run.says("Fetching and restoring")
    go.touch()

    assert "restored anew" in run.end().succeeds().err
    pulling.is_the_same()


def test_a_password_is_printed_by_a_command_each_time(
    make: Make, tmp_path: Path
) -> None:
    pulling = make()
    asked, secret = tmp_path / "asked", tmp_path / "secret"
    secret.write_text(pulling.server.password)
    command = f"echo x >>{asked}; cat {secret}"
    pulling.project.configure(
        f"db: {{sources: {{shop: {{source: 'postgres://postgres@{pulling.place}/"
        f"{pulling.dbname}?pgbouncer=true', password: '$({command})'}}}}}}"
    )
    ended = pulling.pull("shop").succeeds()

    assert asked.read_text().count("x") == 2
    assert "pgbouncer" in ended.err
    pulling.is_the_same()


def test_a_password_may_stand_in_the_users_file_for_a_tunnel_too(make: Make) -> None:
    """It names the server's host and port, not the tunnel's."""
    pulling = make()
    passwords = Path(pulling.project.environment["HOME"]) / ".pgpass"
    passwords.write_text(f"*:*:*:postgres:{pulling.server.password}\n")
    passwords.chmod(0o600)
    source = f"--source=postgres://postgres@{pulling.place}/{pulling.dbname}"
    elsewhere = {"PGPASSWORD": "theirs", "PGHOST": "elsewhere"}
    pulling.project.invoke("db.fetch", source, **elsewhere).succeeds()

    passwords.write_text(f"db.invalid:5432:*:*:{pulling.server.password}\n")
    pulling.project.configure(
        "db:\n  sources:\n    shop:\n"
        f"      source: postgres://postgres@db.invalid/{pulling.dbname}\n"
        f"      tunnel: {command(pulling.place)}\n"
    )
    ended = pulling.pull("shop").succeeds()

    assert f"{pulling.dbname} on db.invalid (shop)" in ended.err
    pulling.is_the_same()


def test_a_dump_has_the_encoding_of_its_database(make: Make) -> None:
    """Bytes of SQL_ASCII can't be converted."""
    pulling = make()
    options = "encoding 'sql_ascii' locale 'C' template template0"
    dbname = pulling.server.database(
        "create table t (x text)", name="live_shop_in_ascii", options=options
    )
    source = f"--source={pulling.server.url(dbname)}"
    pulling.project.invoke("db.fetch", source).succeeds()

    (dump,) = pulling.project.dumps()
    with (pulling.project.local / dump).open("rb") as file:
        entries = archive.read(file).entries
    (encoding,) = (entry for entry in entries if entry.desc == "ENCODING")
    assert "'SQL_ASCII'" in encoding.definition


def test_the_source_itself_is_no_target(make: Make) -> None:
    pulling = make()
    with pulling.target.unasked():
        ended = pulling.pull(pulling.target.url)
    ended.refuses("so it can't be the target", "your development database")


def test_a_server_that_can_not_be_reached_is_told(make: Make) -> None:
    pulling = make()
    at = f"@{pulling.place}/{pulling.dbname}"
    with pulling.target.unasked():
        refused = pulling.pull(f"postgres://postgres:s3cret#ly{at}")
        nowhere = pulling.pull("postgres://u:s3cret@127.0.0.1:1/shop")
        encrypted = pulling.pull(f"{pulling.url}?sslmode=require")

    refused.refuses("password authentication failed", "~/.pgpass")
    nowhere.refuses("Connection refused", "the source's host")
    without = "does not support SSL|is to be reached by TLS"  # there, or here
    encrypted.refuses(without, "sslmode|client programs")
    assert "s3cret" not in refused.err + nowhere.err
