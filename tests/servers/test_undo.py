"""`invoke db.undo`: the previous database comes back, and goes again."""

from __future__ import annotations

import signal

from faulty_stand_in import StandIn
from projects import Project
from targets import Target
from worlds import World


def test_two_pulls_of_one_command_tell_of_each_other_and_undo_needs_no_heroku(
    project: Project, heroku: StandIn, target: Target
) -> None:
    named = f"--target={target.url}"
    words = ("db.pull", "--app=small-eu", "db.pull", "--app=two-backups", named)
    ended = project.invoke(*words).succeeds()
    heroku.forget_requests()

    back = project.invoke("db.undo", HEROKU_API_KEY="").succeeds()
    forth = project.invoke("db.undo", HEROKU_API_KEY="").succeeds()

    told = [line for line in ended.err.splitlines() if " → " in line]
    assert told[0].startswith("small-eu b101, ")
    assert told[0].endswith("which holds rows that dbpull did not pull.")
    assert told[1].startswith("two-backups b002, ")
    assert "which holds small-eu b101, " in told[1]
    assert f"{target.name} on 127.0.0.1" in back.err
    assert "is now small-eu b101, pulled just now." in back.err
    assert "is now two-backups b002, pulled just now." in forth.err
    assert heroku.total().requests == 0


def test_what_was_there_before_any_pull_comes_back_as_it_was_and_sessions_are_ended(
    world: World, project: Project, target: Target
) -> None:
    old, original = target.oid, f"{target.name}__dbpull_original"
    target.sql(f"alter database {target.name} set work_mem = '7MB';")
    target.sql(f"comment on database {target.name} is 'of a developer';")

    project.invoke("db.pull", "--app=small-eu").succeeds()
    assert target.sql("show work_mem;") == "7MB"
    with (
        world.modern.session(target.name, "select 1"),
        world.modern.session(original, "select 1"),
    ):
        ended = project.invoke("db.undo").succeeds()

    assert target.oid == old
    assert "is now the database from before" in ended.err
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
    project.invoke("db.pull", "--app=small-eu").succeeds()
    run = project.start("db.pull", "--app=slow-index", f"--target={target.url}")
    run.until(lambda: target.family == {"target", "original", "aside"})
    before = target.oid

    ended = project.invoke("db.undo")

    ended.refuses(f"being replaced already, by dbpull of .*{run.process.pid}", "Wait")
    run.signal(signal.SIGTERM)
    run.end()
    assert target.oid == before


def test_three_pulls_later_ones_own_database_comes_back_and_goes_when_asked(
    project: Project, target: Target
) -> None:
    own, original = target.oid, f"{target.name}__dbpull_original"

    first = project.invoke("db.pull", "--app=small-eu").succeeds()
    second = project.invoke(
        "db.pull", "--app=two-backups", f"--target={target.url}"
    ).succeeds()
    third = project.invoke(
        "db.pull", "--app=small-eu", f"--target={target.url}"
    ).succeeds()

    label = f"{target.name} on 127.0.0.1"
    assert first.err.startswith(f"small-eu b101, 1 hour old → {label}")
    assert "which holds rows that dbpull did not pull." in first.err
    assert f"which dbpull had not filled, is kept as {original}:" in first.err
    assert "`invoke db.undo --original` brings it back" in first.err
    assert "Dropped" not in first.err
    line = second.err.splitlines()[0]
    assert line.startswith(f"two-backups b002, 1 hour old → {label}")
    assert line.endswith("which holds small-eu b101, 1 hour old, pulled just now.")
    assert "Dropped" not in second.err
    before_that = f"the database before that, {target.name}__dbpull_previous"
    assert f"Dropped {before_that} (small-eu b101," in third.err
    listed = project.invoke("db.backups", "--app=small-eu").succeeds()
    assert f"{original} holds rows that dbpull did not pull" in listed.err
    assert f"{target.name}__dbpull_previous holds two-backups b002" in listed.err

    back = project.invoke("db.undo", "--original").succeeds()
    assert (target.oid, target.notes) == (own, "(1,mine)")
    assert f"Dropped {before_that} (two-backups b002," in back.err

    project.invoke("db.undo").succeeds()
    project.invoke("db.cleanup").succeeds()
    assert target.family == {"target", "original"}
    ended = project.invoke("db.cleanup", "--original").succeeds()
    assert f"Dropped {original} (rows that dbpull did not pull, " in ended.err
    assert target.family == {"target"}
    project.invoke("db.undo", "--original").refuses("no original database", "One is")
    again = project.invoke("db.cleanup", "--original").succeeds()
    assert "There is no original database of" in again.err


def test_somebody_elses_original_and_one_that_was_renamed_by_hand_are_not_dropped(
    project: Project, target: Target
) -> None:
    own, original = target.oid, f"{target.name}__dbpull_original"
    project.invoke("db.pull", "--app=small-eu").succeeds()
    postgres = target.postgres
    other = postgres.role("createdb")
    url = f"--target={postgres.socket_url(target.name, other)}"

    ended = project.invoke("db.cleanup", "--original", url)

    ended.refuses("__dbpull_original belongs to postgres", "Connect as postgres")
    assert target.family == {"target", "original"}
    postgres.sql("postgres", f"drop database {target.name} with (force);")
    postgres.sql("postgres", f"alter database {original} rename to {target.name};")

    ended = project.invoke("db.cleanup", "--original").succeeds()

    assert "There is no original database" in ended.err
    assert (target.oid, target.notes) == (own, "(1,mine)")


def test_a_role_that_may_not_rename_is_told_at_once(
    project: Project, target: Target
) -> None:
    postgres, user = target.postgres, target.postgres.role("createdb")
    postgres.sql("postgres", f"alter database {target.name} owner to {user};")
    url = f"--target={postgres.socket_url(target.name, user)}"
    project.invoke("db.pull", "--app=small-eu", url).succeeds()
    postgres.sql("postgres", f"alter role {user} nocreatedb;")

    before = postgres.logged
    ended = project.invoke("db.undo", url)
    assert postgres.changes(before) == []

    ended.refuses(f"{user} may not rename databases", f'ALTER ROLE "{user}" CREATEDB')


def test_each_original_that_can_be_dropped_is_and_of_the_others_that_is_told(
    project: Project, target: Target
) -> None:
    postgres, name = target.postgres, target.name
    project.invoke("db.pull", "--app=small-eu").succeeds()
    postgres.sql("postgres", f"drop database {name}; create database {name};")
    project.invoke("db.pull", "--app=small-eu").succeeds()
    first, second = (f"{name}__dbpull_original{number}" for number in ("", "_2"))
    listed = project.invoke("db.backups", "--app=small-eu").succeeds()
    assert f"{second} holds" in listed.err
    assert "`invoke db.undo --original`, 2 times, brings it back." in listed.err
    postgres.sql(
        second,
        "create subscription news connection 'dbname=nowhere' publication p"
        " with (connect = false, slot_name = none);",
    )

    ended = project.invoke("db.cleanup", "--original")

    ended.refuses(
        f"{second} can't be dropped: it is held by the subscription news",
        f'DROP DATABASE "{second}"`, or `invoke db.cleanup --original`, drops it',
    )
    assert f"Dropped {first} (" in ended.err
    postgres.sql(second, "drop subscription news;")
    project.invoke("db.cleanup", "--original").succeeds()
    assert target.family == {"target"}
