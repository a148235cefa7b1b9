"""A misspelt app, backup or database: what was probably meant is asked for."""

from __future__ import annotations

import sys

import pytest

from projects import Project


@pytest.mark.parametrize(
    ("task", "asked", "meant"),
    [
        ("db.pull", "stagign", "staging"),
        ("db.fetch", "shop-eo", "shop-eu"),
        ("db.capture", "STAGIN", "staging"),
        ("db.backups", "stagign", "staging"),
    ],
)
def test_an_app(project: Project, task: str, asked: str, meant: str) -> None:
    ended = project.invoke(task, f"--app={asked}")

    ended.refuses(asked, rf"Did you mean {meant}\?")


def test_a_backup(project: Project) -> None:
    ended = project.invoke("db.pull", "--app=staging", "--backup=b1011")

    ended.refuses("no backup 'b1011'", r"Did you mean b101\? There are b103")


@pytest.mark.parametrize(
    "asked", ["DATABSE", "databse_url", "HEROKU_POSTGRESQL_DATABSE_URL"]
)
def test_a_database(project: Project, asked: str) -> None:
    ended = project.invoke("db.pull", "--app=staging", f"--database={asked}")

    ended.refuses("no database called", r"Did you mean DATABASE\? Name one of these")


@pytest.mark.parametrize("module", ["invoke", "fabric"])
def test_a_means_the_app(project: Project, module: str) -> None:
    for words in (("-a", "staging"), ("-astaging",), ("-a=staging",)):
        argv = [sys.executable, "-m", module, "db.backups", *words]

        ended = project.begin(argv, None, {}).end().succeeds()

        assert "b101" in ended.out


def test_invokes_own_short_flags_are_as_they_were(project: Project) -> None:
    for task in ("db.pull", "db.push", "db.restore"):
        told = project.invoke("--help", task).succeeds().out

        assert "  -a STRING, --app=STRING" in told
        assert told.count("  -") - told.count("  --") == 1
    assert "b101" in project.invoke("db.backups", "-a", "staging", "-e").out
