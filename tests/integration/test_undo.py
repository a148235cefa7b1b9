"""`invoke db.undo`: the previous database comes back, and goes again."""

from __future__ import annotations

import signal

from dbpull.demo.stand_in import StandIn
from projects import Project
from targets import Target
from worlds import World


def test_undo_needs_no_heroku_and_tells_what_is_there_now(
    project: Project, heroku: StandIn, target: Target
) -> None:
    project.invoke("db.pull", "--app=staging").succeeds()
    project.invoke("db.pull", "--app=two-backups").succeeds()
    heroku.forget_requests()

    back = project.invoke("db.undo", HEROKU_API_KEY="").succeeds()
    forth = project.invoke("db.undo", HEROKU_API_KEY="").succeeds()

    assert f"{target.name} on 127.0.0.1" in back.err
    assert "is now shop-eu b101, pulled just now." in back.err
    assert "is now two-backups b002, pulled just now." in forth.err
    assert heroku.total().requests == 0


def test_what_was_there_before_any_pull_comes_back_with_its_settings(
    project: Project, target: Target
) -> None:
    target.sql(f"alter database {target.name} set work_mem = '7MB';")
    target.sql(f"comment on database {target.name} is 'of a developer';")

    project.invoke("db.pull", "--app=staging").succeeds()
    assert target.sql("show work_mem;") == "7MB"
    ended = project.invoke("db.undo").succeeds()

    assert "is now the database that was there before" in ended.err
    assert target.sql("show work_mem;") == "7MB"
    comment = "select shobj_description(oid, 'pg_database') from pg_database"
    where = f"where datname = '{target.name}';"
    assert target.sql(f"{comment} {where}") == "of a developer"


def test_without_a_previous_database_undo_refuses(
    project: Project, target: Target
) -> None:
    with target.unasked():
        ended = project.invoke("db.undo")

    ended.refuses("no previous database of", "kept by each pull unless db.undo")


def test_undo_waits_for_nobody_and_is_refused_during_a_pull(
    project: Project, target: Target
) -> None:
    project.invoke("db.pull", "--app=staging").succeeds()
    run = project.start("db.pull", "--app=slow-index")
    run.until(lambda: target.family == {"target", "previous", "aside"})
    before = target.oid

    ended = project.invoke("db.undo")

    ended.refuses(f"being replaced already, by dbpull of .*{run.process.pid}", "Wait")
    run.signal(signal.SIGTERM)
    run.end()
    assert target.oid == before


def test_sessions_on_both_databases_are_ended(
    world: World, project: Project, target: Target
) -> None:
    old = target.oid
    project.invoke("db.pull", "--app=staging").succeeds()
    previous = f"{target.name}__dbpull_previous"

    with (
        world.modern.session(target.name, "select 1"),
        world.modern.session(previous, "select 1"),
    ):
        project.invoke("db.undo").succeeds()

    assert target.oid == old
