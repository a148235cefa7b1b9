"""A push that is stopped or killed: the app's database is as it was."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from faulty_stand_in import faults
from projects import Run, marked
from stagings import MAJOR, Make, local_database
from worlds import BAD_KEY, SLOW_INDEX, World

LOCK = "begin; lock table pg_largeobject_metadata"
"""What each pg_dump reads, and nobody else."""


def endless(world: World) -> str:
    """The URL of a local database whose push never ends by itself."""
    return local_database(world, "local_slow_index", SLOW_INDEX)


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
    # What has failed already is told as that, once all of it is back.
    failed = when == "being put back"
    bad, slow = local_database(world, "local_bad_key", BAD_KEY), endless(world)
    staging = make_staging(bad if failed else slow)
    staging.heroku.misbehave(faults.hang(1.0, path="*/restores"))
    held = [LOCK] if when == "Dumping" else []
    with world.others[MAJOR].session("local_slow_index", *held):
        run = staging.project.start(*staging.push("--maintenance"))
        run.says(when)
        run.signal(number)
        ended = run.end()

    assert ended.code == (1 if failed else 128 + number)
    assert ("The push failed" if failed else "Stopped") in ended.err
    assert "as it was" in ended.remedy
    assert staging.now == staging.before
    assert staging.project.dumps() == []
    assert len(staging.asked("PATCH")) in {0, 2}


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
    staging = make_staging(endless(world))
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

    run.hurry()
    run.process.wait(60)
    survived(run)

    assert "is NOT what it was: b001 is not back yet" in run.err
    assert f"The database of {staging.app} is as it was: b001 is back." in run.err
    assert staging.now == staging.before


def test_a_story_that_nobody_reads_any_more_does_not_keep_it_from_being_put_back(
    world: World, make_staging: Make
) -> None:
    staging = make_staging(endless(world))
    # A pipe in the place of the file that a run's words go to.
    words = Path(staging.project.environment["HOME"]) / "0.err"
    os.mkfifo(words)
    reading = os.open(words, os.O_RDONLY | os.O_NONBLOCK)
    run = staging.project.start(*staging.push())
    os.set_blocking(reading, True)
    told = b""
    while b"Restoring into" not in told:
        told += os.read(reading, 4096)

    os.close(reading)
    run.signal(signal.SIGHUP)

    assert run.process.wait(60) == 128 + signal.SIGHUP
    assert staging.now == staging.before
