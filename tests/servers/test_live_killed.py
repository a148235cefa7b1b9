"""However a live pull ends, nothing of ours stays on the source, and nothing is half.

The source is reached through a tunnel command, which has to end as well.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from forwarder import command
from projects import Project, marked
from silences import until
from targets import Session, Target
from worlds import World

TIMES = 10
RATE = 200_000  # bytes a second: the dump takes long enough to have moments
PULL = ("db.pull", "--source=far", "--capture", "--delete")
SOURCE = "killed_source"
ROWS = """create table blobs (id int primary key, data text);
insert into blobs select g, string_agg(md5(g || '-' || i), '')
  from generate_series(1, 21) g, generate_series(1, 300) i group by g;"""
OURS = f"""select coalesce(string_agg(coalesce(wait_event_type, '-'), ' '), '')
  from pg_stat_activity where application_name = 'dbpull' and datname = '{SOURCE}'"""
RUNNING = """select count(*) from pg_stat_activity
  where backend_type = 'client backend' and pid <> pg_backend_pid()"""


@pytest.fixture(scope="module")
def looking(world: World) -> Iterator[Session]:
    """A session on the source's server: a psql for each look would cost much more."""
    world.modern.database(ROWS, name=SOURCE)
    with world.modern.session("postgres") as session:
        yield session
    world.modern.drop_like(SOURCE)


@pytest.fixture
def far(world: World, project: Project) -> Project:
    """A project whose source only a tunnel leads to."""
    place = urlsplit(world.modern.url(SOURCE)).netloc.rpartition("@")[2]
    url = f"postgres://postgres:{world.modern.password}@db.internal:1/{SOURCE}"
    project.configure(
        f"db:\n  jobs: 2\n  sources:\n    far:\n      source: {url}\n"
        f"      tunnel: {command(place, rate=RATE)}\n"
    )
    return project


def rid_of_us(looking: Session) -> None:
    """Wait until the source has no session of ours."""
    until(lambda: not looking.ask(OURS), lambda: looking.ask(OURS))


def test_a_killed_pull_leaves_no_session_on_the_source(
    world: World, looking: Session, far: Project, target: Target
) -> None:
    began = time.monotonic()
    far.invoke(*PULL).succeeds()
    duration = time.monotonic() - began
    source = world.modern.picture(SOURCE)
    target.sql("create table old (n int)")
    old, oid = world.modern.picture(target.name), target.oid

    for number in range(TIMES):
        moment = duration * (number + random.random()) / TIMES
        run = far.start(*PULL)
        time.sleep(moment)
        run.signal(signal.SIGKILL)
        run.end()
        rid_of_us(looking)
        until(lambda: marked(run.mark) == [])  # noqa: B023 - called in this round
        until(lambda: looking.ask(RUNNING) == "0")

        is_now, its_oid = world.modern.picture(target.name), target.oid
        assert is_now == (old if its_oid == oid else source), moment
        if its_oid != oid:
            target.sql("create table old (n int)")
            oid = its_oid

    far.invoke(*PULL).succeeds()
    assert world.modern.picture(target.name) == source
    assert [name for name in far.dumps() if "part" in name] == []


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]
)
def test_a_pull_that_waits_for_a_lock_leaves_no_session(
    world: World, looking: Session, far: Project, target: Target, number: int
) -> None:
    with target.untouched():
        with world.modern.session(SOURCE, "begin", "lock table blobs"):
            run = far.start(*PULL)
            run.until(lambda: "Lock" in looking.ask(OURS).split(), "a lock")
            run.signal(number)
            ended = run.end()
            rid_of_us(looking)
            until(lambda: marked(run.mark) == [])
        until(lambda: looking.ask(RUNNING) == "0")
        far.invoke("db.cleanup").succeeds()

    assert ended.code == (-number if number == signal.SIGKILL else 128 + number)
    assert far.dumps() == []
