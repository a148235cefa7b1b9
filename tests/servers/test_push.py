"""`invoke db.push` as a user types it: what the app's database is afterwards."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from django_projects import PYTHONS, DjangoProject, database_of
from faulty_stand_in import faults
from machines import Machine, fab, introduce
from projects import INVOKE, Run, marked
from stagings import BORROWER, LENT, MAJOR, PASSWORD, PRODUCTION, ROLE, Staging
from targets import Target, Watched
from worlds import BAD_KEY, ROWS, SLOW_INDEX, World

Make = Callable[..., Staging]


def local_database(world: World, name: str, script: str) -> str:
    """A database on the local server; its URL."""
    server = world.others[MAJOR]
    if name not in server.databases():
        server.database(script, name=name)
    return server.url(name)


def test_the_apps_database_becomes_equal_to_the_local_one_and_undo_brings_it_back(
    world: World, staging: Staging
) -> None:
    ended = staging.project.invoke(*staging.push()).succeeds()

    assert staging.now == world.others[MAJOR].likeness("shop")
    undo = f"--undo --app={staging.app} --confirm={staging.app}"
    told = f"`invoke db.push {undo}` puts b001 back"
    assert told in ended.err
    assert staging.project.dumps() == []
    writes = [path.split("/")[-1] for _, path in staging.asked("POST", "PUT", "PATCH")]
    assert writes == ["resolve", "backups", "reset"]
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
    assert "Nothing of it was done." in plan


def test_its_help_says_which_side_the_target_is(staging: Staging) -> None:
    told = " ".join(staging.project.invoke("--help", "db.push").succeeds().out.split())

    assert "--target=STRING URL of the local database, which is pushed." in told
    assert "to replace" not in told


@pytest.mark.parametrize("words", [[], ["--confirm=staging"], ["--confirm=SHOP"]])
def test_what_nobody_confirmed_is_not_done(staging: Staging, words: list[str]) -> None:
    ended = staging.project.invoke("db.push", "--app=staging", *words)

    ended.refuses("so nothing was done", f"--confirm={staging.app}")
    assert staging.only_read
    assert staging.now == staging.before


@pytest.mark.parametrize("undo", [False, True])
@pytest.mark.parametrize(
    ("app", "alias"),
    [(PRODUCTION, "staging"), ("", "prod"), (LENT, "staging")],
    ids=["its name", "its alias", "who has it too"],
)
def test_a_protected_app_is_refused_by_whatever_name(
    make_staging: Make, app: str, alias: str, *, undo: bool
) -> None:
    staging = make_staging(app=app)
    staging.project.configure(f"db:\n  apps: {{{alias}: {staging.app}}}\n")
    words = ["--undo", "--backup=b001"] if undo else []

    ended = staging.project.invoke(
        "db.push", f"--app={alias}", f"--confirm={staging.app}", *words
    )

    ended.refuses("is protected: it fits", "db.protected")
    assert (BORROWER in ended.err) == (app == LENT)
    assert staging.only_read
    assert staging.now == staging.before


def test_an_alias_protects_an_app_by_its_real_name_too(staging: Staging) -> None:
    staging.project.configure(f"db:\n  apps: {{prod: {staging.app}}}\n")
    words = ["db.push", f"--app={staging.app}", f"--confirm={staging.app}"]

    for more in ({}, {"INVOKE_DB_APPS": f"staging={staging.app}"}):
        ended = staging.project.invoke(*words, **more)
        ended.refuses("prod is protected", "db.protected")
    assert staging.only_read


def test_no_other_file_takes_protection_away(staging: Staging) -> None:
    staging.project.configure(
        f"db:\n  apps: {{staging: {staging.app}}}\n  protected: ['shop-*']\n"
    )
    other = staging.project.folder / "other.yaml"
    other.write_text("db: {protected: []}\n")
    argv = [*INVOKE, "-f", str(other), *staging.push()]

    ended = staging.project.begin(argv, None, {}).end()

    ended.refuses("is protected: it fits 'shop-", "invoke.yaml")
    assert staging.asked() == []


def test_only_the_file_says_what_is_protected(staging: Staging) -> None:
    staging.project.configure(
        f"db:\n  apps: {{staging: {staging.app}}}\n  protected: [shop-*]\n"
    )

    staging.project.invoke(*staging.push()).refuses("fits 'shop-", "invoke.yaml")
    ended = staging.project.invoke(*staging.push(), INVOKE_DB_PROTECTED="nothing")
    ended.refuses("INVOKE_DB_PROTECTED is set in", "Set it there")
    assert staging.asked() == []


@pytest.mark.parametrize(
    ("name", "script", "why"),
    [
        ("local_without_tables", "", "has no tables"),
        ("local_without_rows", "create table notes (id int);", "has no rows"),
        ("", "", "does not exist"),
    ],
)
def test_an_empty_local_database_is_not_pushed(
    world: World, make_staging: Make, name: str, script: str, why: str
) -> None:
    url = world.others[MAJOR].url("nothing_there")
    staging = make_staging(local_database(world, name, script) if name else url)

    ended = staging.project.invoke(*staging.push())

    ended.refuses(why, "--target")
    assert staging.only_read
    assert staging.now == staging.before


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_database_is_not_pushed_to_itself(
    staging: Staging, encrypted: Watched, name: str
) -> None:
    url = encrypted.url(staging.dbname).replace("127.0.0.1", name)

    ended = staging.project.invoke(*staging.push(), DATABASE_URL=url)

    ended.refuses("are the same one", "DATABASE_URL")
    assert staging.only_read
    assert staging.now == staging.before


def test_an_older_server_is_not_pushed_to(world: World, make_staging: Make) -> None:
    staging = make_staging(world.modern.url("shop"))

    ended = staging.project.invoke(*staging.push())

    ended.refuses(
        f"{staging.app} runs PostgreSQL {MAJOR}", f"a local PostgreSQL {MAJOR}"
    )
    assert staging.only_read


def test_rows_that_are_not_wanted_stay_here(staging: Staging) -> None:
    staging.project.invoke(*staging.push("--skip-data=audit_events")).succeeds()

    count = "select count(*) from {};".format
    assert staging.server.sql(staging.dbname, count("audit_events")) == "0"
    assert staging.server.sql(staging.dbname, count("orders")) != "0"


def test_maintenance_is_on_from_the_capture_to_the_end(staging: Staging) -> None:
    staging.project.invoke(*staging.push("--maintenance")).succeeds()

    asked = staging.asked("POST", "PUT", "PATCH")
    assert [path.split("/")[-1] for _, path in asked] == [
        *("resolve", staging.app, "backups", "reset", staging.app),
    ]


def test_maintenance_ends_where_the_push_fails(
    world: World, make_staging: Make
) -> None:
    staging = make_staging(local_database(world, "local_bad_key", BAD_KEY))

    ended = staging.project.invoke(*staging.push("--maintenance"))

    assert ended.code == 1
    assert f"{staging.app} is out of maintenance mode." in ended.err
    assert staging.asked("PATCH") == [("PATCH", f"/apps/{staging.app}")] * 2


def test_what_can_not_be_restored_is_undone(world: World, make_staging: Make) -> None:
    staging = make_staging(local_database(world, "local_bad_key", BAD_KEY))

    ended = staging.project.invoke(*staging.push())

    ended.refuses("The push failed: Restoring failed at .*pets", "b001 is back")
    assert staging.now == staging.before
    assert staging.project.dumps() == []


def cut_sessions(staging: Staging, stop: threading.Event) -> None:
    """End the app's sessions again and again, as a lost connection does."""
    ending = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        f" where usename = '{ROLE}';"
    )
    while not stop.wait(0.05):
        staging.server.sql("postgres", ending)


def test_a_connection_that_is_cut_while_restoring_is_undone(
    world: World, make_staging: Make
) -> None:
    # Its index is never made, so that there is something to cut.
    staging = make_staging(local_database(world, "local_slow_index", SLOW_INDEX))
    run = staging.project.start(*staging.push())
    stop = threading.Event()
    cutting = threading.Thread(target=cut_sessions, args=(staging, stop))

    run.says("Restoring into")
    cutting.start()
    try:
        run.says("being put back")
    finally:
        stop.set()
        cutting.join()
    ended = run.end()

    ended.refuses("The push failed: ", "b001 is back")
    assert "The dump is kept" not in ended.err
    assert staging.now == staging.before


@pytest.mark.parametrize(
    ("when", "number"),
    [
        ("Dumping", signal.SIGINT),
        ("Capturing", signal.SIGTERM),
        ("Resetting", signal.SIGHUP),
        ("Restoring into", signal.SIGINT),
        ("being put back", signal.SIGTERM),
    ],
)
def test_whenever_it_is_stopped_the_apps_database_is_as_it_was(
    world: World, make_staging: Make, when: str, number: int
) -> None:
    name, script = {
        "Restoring into": ("local_slow_index", SLOW_INDEX),
        "being put back": ("local_bad_key", BAD_KEY),
    }.get(when, ("local_bulk", ROWS))
    staging = make_staging(local_database(world, name, script))
    staging.heroku.misbehave(faults.hang(1.0, path="*/restores"))
    run = staging.project.start(*staging.push("--maintenance"))

    run.says(when)
    run.signal(number)
    ended = run.end()

    # What has failed already is told as that, once all of it is back.
    failed = when == "being put back"
    assert ended.code == (1 if failed else 128 + number)
    assert ("The push failed" if failed else "Stopped") in ended.err
    assert "as it was" in ended.remedy
    assert staging.now == staging.before
    assert staging.project.dumps() == []
    assert len(staging.asked("PATCH")) in {0, 2}


def test_trouble_at_heroku_is_waited_out_while_putting_back(
    world: World, make_staging: Make
) -> None:
    staging = make_staging(local_database(world, "local_bad_key", BAD_KEY))
    busy, lost = faults.answer(503, path="*/restores"), faults.lose_answer
    staging.heroku.misbehave(busy, lost(path="*/restores"))

    ended = staging.project.invoke(*staging.push())

    ended.refuses("The push failed: Restoring failed", "b001 is back")
    assert ended.err.count("Waiting on to put b001 back") == 2
    asked = [path for _, path in staging.asked("POST") if path.endswith("/restores")]
    assert len(asked) == 2
    assert staging.now == staging.before


def test_where_nothing_can_be_put_back_both_are_told_and_undo_does_it_later(
    world: World, make_staging: Make
) -> None:
    staging = make_staging(local_database(world, "local_bad_key", BAD_KEY))
    staging.heroku.misbehave(faults.answer(403, path="*/restores", times=None))

    ended = staging.project.invoke(*staging.push())

    ended.refuses("Restoring failed", "is NOT what it was: b001 is not back yet")
    staging.heroku.behave()
    staging.project.invoke(*staging.push("--undo")).succeeds()
    assert staging.now == staging.before


def test_without_a_capture_there_is_no_push(staging: Staging) -> None:
    staging.heroku.misbehave(faults.backup("fail", message="out of disk"))

    ended = staging.project.invoke(*staging.push("--maintenance"))

    ended.refuses("out of disk", "as it was. Run it again")
    assert staging.asked("PUT") == []
    assert staging.now == staging.before
    assert staging.asked("PATCH") == [("PATCH", f"/apps/{staging.app}")] * 2


@pytest.mark.parametrize(
    "fault",
    [
        # Longer than anyone waits.
        faults.answer(500, path="*/reset", times=None, retry_after=900),
        faults.answer(403, path="*/reset", times=None),
    ],
)
def test_a_reset_that_is_refused_is_undone(
    staging: Staging, fault: faults.Fault
) -> None:
    staging.heroku.misbehave(fault)

    ended = staging.project.invoke(*staging.push())

    ended.refuses("The push failed: ", "b001 is back")
    assert staging.now == staging.before


def test_a_reset_whose_answer_is_lost_is_asked_for_again(
    world: World, staging: Staging
) -> None:
    staging.heroku.misbehave(faults.lose_answer(path="*/reset"))

    staging.project.invoke(*staging.push()).succeeds()

    assert staging.now == world.others[MAJOR].likeness("shop")


def survived(run: Run) -> None:
    """Wait until the process that survives a killed push has done its part."""
    deadline = time.monotonic() + 60
    while marked(run.mark):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("when", ["Capturing", "Resetting", "Restoring into"])
def test_what_is_killed_midway_is_put_back_by_a_process_that_survives(
    world: World, make_staging: Make, when: str
) -> None:
    staging = make_staging(local_database(world, "local_bulk", ROWS))
    run = staging.project.start(*staging.push("--maintenance"))
    run.says(when)

    run.process.kill()
    run.process.wait()
    survived(run)

    if when != "Capturing":
        assert f"The database of {staging.app} is as it was: b001 is back." in run.err
    assert f"{staging.app} is out of maintenance mode." in run.err
    assert staging.asked("PATCH") == [("PATCH", f"/apps/{staging.app}")] * 2
    assert staging.now == staging.before


def test_who_cannot_wait_leaves_it_to_that_process(
    world: World, make_staging: Make
) -> None:
    staging = make_staging(local_database(world, "local_bad_key", BAD_KEY))
    staging.heroku.misbehave(faults.hang(path="*/restores"))
    run = staging.project.start(*staging.push())
    run.says("being put back")

    for _ in range(3):
        run.signal(signal.SIGINT)
        time.sleep(0.3)
    run.process.wait(60)
    survived(run)

    assert "is NOT what it was: b001 is not back yet" in run.err
    assert f"The database of {staging.app} is as it was: b001 is back." in run.err
    assert staging.now == staging.before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_a_story_that_nobody_reads_any_more_does_not_keep_it_from_being_put_back(
    world: World, make_staging: Make, number: int
) -> None:
    staging = make_staging(local_database(world, "local_bulk", ROWS))
    reading, writing = os.pipe()
    run = subprocess.Popen(
        [*INVOKE, *staging.push()],
        cwd=staging.project.folder,
        env=staging.project._environment({}),
        stdin=subprocess.DEVNULL,
        stderr=writing,
    )
    os.close(writing)
    told = b""
    while b"Restoring into" not in told:
        told += os.read(reading, 4096)

    os.close(reading)
    run.send_signal(number)

    assert run.wait(60) == 128 + number
    assert staging.now == staging.before


def test_on_a_terminal_the_apps_name_is_asked_for(staging: Staging) -> None:
    for typed, code in (("nonsense", 1), (staging.app, 0)):
        talker, terminal = pty.openpty()
        environment = staging.project._environment({"TERM": "dumb"})
        argv = [*INVOKE, "db.push", "--app=staging"]
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
        while (
            f"Type {staging.app} to have its database replaced: ".encode() not in told
        ):
            told += os.read(talker, 4096)
        assert staging.only_read
        os.write(talker, f"{typed}\n".encode())
        with contextlib.suppress(OSError):  # the terminal's other end is closed
            while more := os.read(talker, 4096):
                told += more
        assert run.wait(60) == code, told
        os.close(talker)
    assert staging.now != staging.before


def test_a_hosts_database_is_pushed_from_there(
    world: World, staging: Staging, devbox: Machine
) -> None:
    introduce(Path(staging.project.environment["HOME"]), devbox)

    with devbox.watch_processes([PASSWORD.encode()]) as watch:
        ended = fab(staging.project, "devbox", *staging.push()).succeeds()

    assert watch.found == set()
    assert any("pg_dump" in command for command in watch.seen)
    assert staging.now == world.others[MAJOR].likeness("shop")
    undo = f"--undo --app={staging.app} --confirm={staging.app}"
    told = f"`fab -H devbox db.push {undo}` puts b001 back"
    assert told in ended.err
    devbox.settled()
    assert list((devbox.home / ".dbpull/dumps").glob("*.dump")) == []


def test_what_fails_from_a_host_is_undone(
    world: World, make_staging: Make, devbox: Machine
) -> None:
    staging = make_staging(local_database(world, "local_bad_key", BAD_KEY))
    introduce(Path(staging.project.environment["HOME"]), devbox)

    ended = fab(staging.project, "devbox", *staging.push())

    assert ended.code == 1
    assert "b001 is back" in ended.err
    assert staging.now == staging.before


def test_several_hosts_are_refused(
    staging: Staging, devbox: Machine, buildbox: Machine
) -> None:
    introduce(Path(staging.project.environment["HOME"]), devbox, buildbox)

    ended = fab(staging.project, "devbox,buildbox", *staging.push())

    assert ended.code == 1
    assert "would have them overwrite each other" in ended.err
    assert staging.only_read
    assert staging.now == staging.before


@pytest.mark.parametrize("python", PYTHONS)
def test_manage_py_pushes_as_well(world: World, staging: Staging, python: str) -> None:
    local = Target(world.others[MAJOR], "shop")
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

    assert staging.now == world.others[MAJOR].likeness("shop")
    assert f"`./manage.py db:push --undo --app={staging.app}" in ended.err
    django.manage(
        "db_push", "--undo", "--app=staging", f"--confirm={staging.app}"
    ).succeeds()
    assert staging.put_back == staging.before
