"""`invoke db.push` as a user types it: what the app's database is afterwards."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
from pathlib import Path

import pytest

from django_projects import PYTHONS, DjangoProject, database_of
from faulty_stand_in import faults
from projects import INVOKE, Project
from stagings import MAJOR, Make, Staging, local_database
from targets import Target
from worlds import SMALL, World

LOCAL = f"{SMALL} create table audit_events as select 1 as id;"


def test_the_apps_database_becomes_equal_to_the_local_one_and_undo_brings_it_back(
    world: World, staging: Staging
) -> None:
    ended = staging.project.invoke(*staging.push("--maintenance")).succeeds()

    assert staging.now == world.others[MAJOR].likeness("shop")
    undo = f"--undo --app={staging.app} --confirm={staging.app}"
    told = f"`invoke db.push {undo}` puts b001 back"
    assert told in ended.err
    assert staging.project.dumps() == []
    writes = [path.split("/")[-1] for _, path in staging.asked("POST", "PUT", "PATCH")]
    # In maintenance from the capture to the end.
    assert writes == ["resolve", staging.app, "backups", "reset", staging.app]
    staging.project.invoke(*staging.push("--undo")).succeeds()
    assert staging.put_back == staging.before
    again = staging.project.invoke(*staging.push("--undo"))
    again.refuses(f"No push to {staging.app} is known", "--backup=b101")


def test_a_plan_tells_what_would_be_lost_and_does_nothing(staging: Staging) -> None:
    ended = staging.project.invoke("db.push", "--app=staging", "--dry-run").succeeds()

    assert staging.only_read
    assert staging.now == staging.before
    plan = ended.err
    assert "from  shop on 127.0.0.1" in plan
    assert (
        f"to    {staging.app} (staging), DATABASE (standard-0), PostgreSQL {MAJOR}"
        in plan
    )
    assert "in 1 table\n" in plan
    assert "pg_dump --format=custom" in plan
    assert re.search(r"PUT http\S+/reset\n +\S+pg_restore ", plan)
    assert "Nothing was changed." in plan


def test_its_help_says_which_side_the_target_is(tmp_path: Path) -> None:
    shown = Project.at(tmp_path / "shop").invoke("--help", "db.push").succeeds().out
    told = " ".join(shown.split())

    assert "--target=STRING URL of the local database, which is pushed." in told
    assert "to replace" not in told


def test_on_a_terminal_the_apps_name_is_asked_for_and_another_changes_nothing(
    staging: Staging,
) -> None:
    code, told = on_a_terminal(staging, "nonsense")

    assert code == 1, told
    assert staging.now == staging.before


def test_a_reset_whose_answer_is_lost_counts_and_rows_that_are_not_wanted_stay_here(
    world: World, make_staging: Make
) -> None:
    staging = make_staging(local_database(world, "local_small", LOCAL))
    staging.heroku.misbehave(faults.lose_answer(path="*/reset"))

    code, told = on_a_terminal(staging, staging.app, "--skip-data=audit_events")

    assert code == 0, told
    rows = "select (select count(*) from audit_events), count(*) > 0 from orders;"
    assert staging.server.sql(staging.dbname, rows) == "0|t"


def on_a_terminal(staging: Staging, typed: str, *words: str) -> tuple[int, bytes]:
    """A push by who types that where the app's name is asked for: its end."""
    talker, terminal = pty.openpty()
    environment = staging.project._environment({"TERM": "dumb"})
    argv = [*INVOKE, "db.push", "--app=staging", *words]
    run = subprocess.Popen(
        argv,
        cwd=staging.project.folder,
        env=environment,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    told = b""
    while f"Type {staging.app} to have its database replaced: ".encode() not in told:
        told += os.read(talker, 4096)
    assert staging.only_read
    os.write(talker, f"{typed}\n".encode())
    with contextlib.suppress(OSError):  # the terminal's other end is closed
        while more := os.read(talker, 4096):
            told += more
    code = run.wait(60)
    os.close(talker)
    return code, told


@pytest.mark.parametrize("python", PYTHONS)
def test_manage_py_pushes_as_well(world: World, staging: Staging, python: str) -> None:
    local = Target(world.others[MAJOR], "local_small")
    local_database(world, local.name, LOCAL)
    databases = {"default": database_of(local)}
    django = DjangoProject(staging.project, PYTHONS[python], databases)
    staging.project.configure(f"db:\n  apps: {{staging: {staging.app}}}\n")

    empty = django.manage("db:push", f"--confirm={staging.app}", "--backup=")
    assert "--backup is empty" in empty.err
    refused = django.manage("db:push", "--app=staging")
    assert refused.code == 1
    assert f"Add --confirm={staging.app}" in refused.err
    assert staging.only_read
    ended = django.manage(
        "db:push", "--app=staging", f"--confirm={staging.app}"
    ).succeeds()

    assert staging.now == world.others[MAJOR].likeness(local.name)
    assert f"`./manage.py db:push --undo --app={staging.app}" in ended.err
    django.manage(
        "db_push", "--undo", "--app=staging", f"--confirm={staging.app}"
    ).succeeds()
    assert staging.put_back == staging.before
