"""`kill -9` at any moment: the target is the old or the new one; next run tidies."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable

from dbpull.download.worker import NOTED
from faulty_stand_in import StandIn, faults
from killed import noted, settled, unlocked
from projects import Project
from targets import Target
from worlds import World

TIMES = 10
PULL = ("db.pull", "--app=small-eu", "--delete")


def test_a_killed_run_leaves_the_old_database_or_the_new_one(
    world: World, project: Project, target: Target
) -> None:
    project.invoke("--list").succeeds()  # the first run takes longer
    began = time.monotonic()
    project.invoke(*PULL).succeeds()
    duration = time.monotonic() - began
    source = world.modern.picture("small")
    target.sql("create table old (n int)")
    old = world.modern.picture(target.name)
    oid = target.oid

    for number in range(TIMES):
        moment = duration * (number + random.random()) / TIMES
        run = project.start(*PULL)
        time.sleep(moment)
        run.signal(signal.SIGKILL)
        run.end()
        settled(run, world.modern)

        is_now = world.modern.picture(target.name)
        assert is_now == (old if target.oid == oid else source), moment
        if target.oid != oid:
            target.sql("create table old (n int)")
            oid = target.oid

    project.invoke(*PULL).succeeds()
    assert world.modern.picture(target.name) == source
    assert target.family == {"target", "previous", "original"}
    assert project.dumps() == []
    project.invoke("db.undo").succeeds()
    assert world.modern.picture(target.name) == old


def test_what_a_killed_run_left_is_told_and_removed_by_cleanup(
    make_target: Callable[..., Target], project: Project, target: Target
) -> None:
    lookalike = make_target(name=f"{target.name}__dbpull_newer")
    run = project.start("db.pull", "--app=slow-index")
    run.until(lambda: "sleepers" in _tables(target))
    run.signal(signal.SIGKILL)
    run.end()
    unlocked(target.postgres)
    assert target.family == {"target", "aside"}

    ended = project.invoke("db.cleanup").succeeds()

    assert f"Dropped {target.name}__dbpull_new" in ended.err
    assert target.family == {"target"}
    assert lookalike.notes == target.notes == "(1,mine)"


def _tables(target: Target) -> str:
    aside = f"{target.name}__dbpull_new"
    if aside not in target.postgres.databases():
        return ""
    sql = "select string_agg(relname, ' ') from pg_class where relkind = 'r';"
    return target.postgres.sql(aside, sql)


def test_a_killed_download_is_resumed_by_the_next_run(
    world: World, project: Project, heroku: StandIn, target: Target
) -> None:
    [hanging] = heroku.misbehave(faults.hang(at=18_000_000, times=None))
    words = ("db.pull", "--app=bulk-eu", "--connections=1")
    run = project.start(*words)
    run.until(lambda: noted(project) >= 18_000_000 - NOTED)
    run.signal(signal.SIGKILL)
    run.end()
    unlocked(target.postgres)
    heroku.behave(hanging)
    heroku.forget_requests()

    ended = project.invoke(*words).succeeds()

    assert "18 MB of it were here from an earlier run." in ended.err
    missing = (world.dumps / "bulk.dump").stat().st_size - 18_000_000
    assert missing <= heroku.total("download").sent <= missing + NOTED
    count = "select count(*) from blobs;"
    assert target.sql(count) == world.modern.sql("bulk", count)
    assert [name for name in project.dumps() if "part" in name] == []
