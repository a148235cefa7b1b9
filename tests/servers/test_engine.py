"""A restore that fails while its dump arrives: at once, named, without a trace."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from databases import AS_HEROKU
from dbpull.target.names import Names
from faulty_stand_in import (
    AppConfig,
    BackupConfig,
    Config,
    DatabaseConfig,
    StandIn,
    faults,
)
from once import once
from projects import Project, Run
from targets import Target, Watched
from worlds import World

# Of a and b 2 MB each; b is broken, and most of c has not arrived by then.
FILL = """INSERT INTO {table} SELECT g, repeat(md5(g::text), 1000)
  FROM generate_series(1, {count}) g;
"""
TABLES = """
CREATE FUNCTION fine(int) RETURNS bool LANGUAGE sql AS 'SELECT true';
CREATE TABLE a (id int, data text);
CREATE TABLE b (id int, data text);
CREATE TABLE c (id int, data text);
"""
FEW = "".join(FILL.format(table=table, count=60) for table in ("a", "b"))
# All is more than what is sent at the most where it fails.
FILLED = FEW + FILL.format(table="c", count=400)
SOUND = TABLES + FEW + FILL.format(table="c", count=600)
BAD_ROW = f"""{TABLES} ALTER TABLE b ADD CHECK (fine(id)); {FILLED}
CREATE OR REPLACE FUNCTION fine(int) RETURNS bool LANGUAGE sql AS 'SELECT $1 <> 50';
"""
BAD_KEY = f"""{TABLES} {FILLED}
ALTER TABLE b ADD CONSTRAINT b_key UNIQUE (id);
"""
HALVED = f"""{TABLES}
{"".join(FILL.format(table=one, count=120) for one in ("a", "b"))}
{FILL.format(table="c", count=420)}
ALTER TABLE a ADD PRIMARY KEY (id);
CREATE INDEX ON b (id);
CREATE INDEX b_short ON b ("left"(data, 9));
"""
# Heavier than the index of numbers, it is begun while that one waits: so in two.
BAD_HALF_KEY = f"""{HALVED}
ALTER TABLE b ALTER id TYPE text, ADD number int;
CREATE INDEX ON b (number);
ALTER TABLE b ADD CONSTRAINT b_key UNIQUE (id);
"""
BAD_HALF_REFERENCE = f"""{HALVED}
ALTER TABLE b ADD CONSTRAINT b_boss FOREIGN KEY (id) REFERENCES a;
"""
# Both are heavy enough to be made in two statements.
PUT_FOR_8 = {"bad-key": b"7", "bad-half-key": b"7", "bad-half-reference": b"0"}
"""What b's row 8 is called in the dump: a second 7, or what a has not. No server would
let it in."""
BACKUPS = {
    "bad-row": BAD_ROW,
    "bad-key": BAD_KEY,
    "bad-half-key": BAD_HALF_KEY,
    "bad-half-reference": BAD_HALF_REFERENCE,
    "sound": SOUND,
}


@pytest.fixture(scope="module")
def broken(world: World, run_folder: Path) -> Iterator[StandIn]:
    """A Heroku of such backups, each 16 to 24 MB; 2 MB a second arrive of them."""
    folder = once(run_folder / "broken", lambda half: _dump(world.modern, half))
    apps = []
    for name in BACKUPS:
        database = DatabaseConfig(f"postgresql-{name}", world.modern.url("shop"))
        backup = BackupConfig(number=1, dump=str(folder / name))
        apps.append(AppConfig(name, databases=(database,), backups=(backup,)))
    pg_dump = world.modern.program("pg_dump")
    config = Config(tuple(apps), pg_dump=pg_dump, dump_at_start=False)
    with StandIn.start(config) as heroku:
        heroku.misbehave(faults.throttle(2_000_000))
        yield heroku


def _dump(on: Watched, folder: Path) -> None:
    for name, sql in BACKUPS.items():
        source = on.database(sql)
        dump = on.dump(source, folder / name, *AS_HEROKU, "-Z0")
        on.drop_like(source)
        if name in PUT_FOR_8:
            content = dump.read_bytes()
            _, second, _ = re.finditer(rb"\x008\t[0-9a-f]{64}", content)
            at = second.start() + 1
            dump.write_bytes(content[:at] + PUT_FOR_8[name] + content[at + 1 :])


@pytest.fixture
def project(
    make_project: Callable[..., Project], target: Target, broken: StandIn
) -> Project:
    broken.forget_requests()
    return make_project(DATABASE_URL=target.url, **broken.environment)


@pytest.mark.parametrize(
    ("app", "told"),
    [
        (
            "bad-row",
            'TABLE DATA b: .*violates check constraint "b_id_check".*COPY b, line 50',
        ),
        ("bad-key", "CONSTRAINT b b_key: could not create unique index"),
    ],
)
def test_what_fails_ends_all_before_the_rest_has_arrived(
    project: Project, target: Target, broken: StandIn, app: str, told: str
) -> None:
    [hanging] = broken.misbehave(faults.hang(at=15_000_000, times=None))
    with target.untouched():
        ended = project.invoke("db.pull", f"--app={app}", "--connections=1")
    sent = broken.total("download").sent  # once it may, it sends what nobody reads
    broken.behave(hanging)

    ended.refuses(f"Restoring failed at {told}", "as it was")
    assert sent <= 15_000_000
    assert target.family == {"target"}


@pytest.mark.parametrize(
    ("app", "statement", "told"),
    [
        (
            "bad-half-key",
            'CREATE UNIQUE INDEX "b_key"',
            "CONSTRAINT b b_key: could not create unique index",
        ),
        (
            "bad-half-reference",
            'VALIDATE CONSTRAINT "b_boss"',
            "FK CONSTRAINT b b_boss: .*violates foreign key constraint",
        ),
    ],
)
def test_a_half_of_a_key_that_fails_is_told_as_the_key(
    project: Project,
    world: World,
    target: Target,
    broken: StandIn,
    app: str,
    statement: str,
    told: str,
) -> None:
    # Only where another job waits meanwhile is a key made in two: all of a is done
    # before b's rows are in, and its indexes and keys are begun together.
    in_b, in_c = broken.misbehave(
        faults.hang(at=4_500_000, times=None), faults.hang(at=15_000_000, times=None)
    )
    before = world.modern.logged
    words = ("db.pull", f"--app={app}", "--connections=1")
    with target.untouched():
        run = project.start(*words, INVOKE_DB_JOBS="2")
        run.until(lambda: _is_analyzed(target, "a"))
        broken.behave(in_b)
        ended = run.end()
    sent = broken.total("download").sent
    broken.behave(in_c)

    ended.refuses(f"Restoring failed at {told}", "as it was")
    log = world.modern.server.log.read_bytes()[before:].decode()
    assert statement in log  # this one of both failed
    assert sent <= 15_000_000
    assert target.family == {"target"}


def _is_analyzed(target: Target, table: str) -> bool:
    """Whether a table is done with in the new database: it is analyzed last."""
    aside = Names(target.name).aside
    if aside not in target.postgres.databases():
        return False
    sql = "select count(*) from pg_stat_user_tables where last_analyze is not null"
    return target.postgres.sql(aside, f"{sql} and relname = '{table}';") == "1"


def test_a_pg_restore_that_is_killed_is_told_and_nothing_stays(
    project: Project, target: Target, broken: StandIn
) -> None:
    [hanging] = broken.misbehave(faults.hang(at=12_000_000, times=None))
    with target.untouched():
        run = project.start("db.pull", "--app=sound", "--connections=1")
        # The last and the longest: it gets no more, and so does not end meanwhile.
        fed: list[int] = []

        def feeds() -> bool:
            fed[:] = _fed(run)
            return broken.total("download").sent >= 12_000_000 and bool(fed)

        run.until(feeds)
        for pid in fed:
            with suppress(ProcessLookupError):  # another one may end
                os.kill(pid, signal.SIGKILL)
        ended = run.end()
    broken.behave(hanging)

    ended.refuses(r"Restoring failed at pg_restore: it was killed \(signal 9\)", "jobs")
    assert target.family == {"target"}


def _fed(run: Run) -> list[int]:
    """Its pg_restores that are given rows."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            parent = f"\nPPid:\t{run.process.pid}\n" in status.read_text()
            argv = (status.parent / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if parent and argv[0].endswith(b"pg_restore") and b"--verbose" in argv:
            found.append(int(status.parent.name))
    return found
