"""`invoke db.backups`: rows for scripts on stdout, words for people on stderr."""

from __future__ import annotations

import shlex
from datetime import datetime

from faulty_stand_in import StandIn, faults
from projects import INVOKE, Project
from targets import Target

HEADER = ["backup", "database", "taken", "bytes", "status", "local file"]


def _rows(out: str) -> list[list[str]]:
    header, *lines = out.splitlines()
    assert header.split("\t") == HEADER
    return [line.split("\t") for line in lines]


def test_each_backup_is_a_row_newest_first(project: Project) -> None:
    ended = project.invoke("db.backups", "--app=staging").succeeds()

    rows = _rows(ended.out)
    assert [(row[0], row[1], row[4]) for row in rows] == [
        ("b103", "DATABASE", "canceled"),
        ("b102", "DATABASE", "failed"),
        ("b101", "DATABASE", "finished"),
        ("a099", "DATABASE", "scheduled, finished"),
    ]
    assert all(row[5] == "-" for row in rows)
    assert all(datetime.fromisoformat(row[2]) for row in rows)


def test_it_tells_what_is_here_and_where_the_targets_rows_came_from(
    project: Project, target: Target
) -> None:
    before = project.invoke("db.backups", "--app=small-eu").succeeds()
    assert f"{target.name} on 127.0.0.1" in before.err
    assert "was not filled by dbpull" in before.err

    project.invoke("db.pull", "--app=small-eu").succeeds()

    after = project.invoke("db.backups", "--app=small-eu").succeeds()
    [row] = [row for row in _rows(after.out) if row[0] == "b101"]
    assert row[5].startswith("local/small-eu-b101-")
    assert int(row[3]) > (project.folder / row[5]).stat().st_size
    assert "holds small-eu b101, 1 hour old; pulled just now." in after.err


def test_the_backups_of_an_attached_database_are_those_of_the_app_that_pays(
    project: Project,
) -> None:
    ended = project.invoke("db.backups", "--app=billed-elsewhere").succeeds()

    assert [row[0] for row in _rows(ended.out)] == ["b103", "b102", "b101", "a099"]


def test_an_app_without_backups_is_told_how_to_make_one(project: Project) -> None:
    ended = project.invoke("db.backups", "--app=barren").succeeds()

    assert ended.out == ""
    assert "barren has no backups; `invoke db.capture` takes one." in ended.err


def test_where_heroku_refuses_what_is_here_is_listed_all_the_same(
    project: Project, heroku: StandIn
) -> None:
    project.invoke("db.fetch", "--app=staging").succeeds()
    heroku.misbehave(faults.answer(401, times=None))

    ended = project.invoke("db.backups", "--app=staging")

    ended.refuses("does not accept the token", "HEROKU_API_KEY")
    [row] = _rows(ended.out)
    assert (row[0], row[4]) == ("b101", "here only")


def test_a_server_that_is_down_does_not_hide_the_backups(project: Project) -> None:
    words = ("--app=staging", "--target=postgres://me@127.0.0.1:1/gone")

    ended = project.invoke("db.backups", *words).succeeds()

    assert len(_rows(ended.out)) == 4
    assert "gone on 127.0.0.1:1 can't be reached" in ended.err


def test_a_closed_stdout_is_no_trouble(project: Project) -> None:
    command = shlex.join([*INVOKE, "db.backups", "--app=staging"])

    project.begin(["sh", "-c", f"exec {command} >&-"], None, {}).end().succeeds()


def test_without_an_app_what_is_here_and_kept_is_told_all_the_same(
    project: Project, target: Target
) -> None:
    project.invoke("db.pull", "--app=small-eu").succeeds()

    ended = project.invoke("db.backups", HEROKU_APP="")

    ended.refuses("No Heroku app given", "Pass --app")
    assert [row[0] for row in _rows(ended.out)] == ["b101"]
    original = f"{target.name}__dbpull_original"
    assert f"{original} holds rows that dbpull did not pull" in ended.err
