"""Ctrl-C, `kill` and a closed terminal at every step: the old database, no trace."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGTERM

import pytest

from faulty_stand_in import StandIn, faults
from projects import INVOKE, Project, Run
from targets import Target
from worlds import World

HOW = {
    SIGINT: "Ctrl-C",
    SIGTERM: "SIGTERM",
    SIGHUP: re.escape("SIGHUP (the terminal was closed)"),
}
"""Each of them at some of the steps: what they are told by is all that differs."""


@contextmanager
def _stopped(
    run: Run,
    target: Target,
    number: int,
    told: str,
    remedy: str = "target is as it was",
) -> Iterator[None]:
    """Wait as the block says, then stop the run: nothing may have happened."""
    with target.untouched():
        yield
        run.signal(number)
        ended = run.end()
    ended.refuses(told, remedy, code=128 + number)
    assert target.family == {"target"}


def test_while_capturing_heroku_goes_on_and_that_is_said(
    project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(faults.backup("stay", at=1000))
    run = project.start("db.pull", "--app=captured")
    told = "Stopped waiting for the backup b001, which goes on at Heroku"

    with _stopped(run, target, SIGTERM, told, "pick it up with .*--backup=b001"):
        run.until(lambda: heroku.requests("data", "GET", "/transfers/"))

    assert len(heroku.requests(method="POST", path="/backups")) == 1


def test_a_capture_that_went_on_is_picked_up_even_before_its_end(
    project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(faults.backup("stay", at=1000))
    run = project.start("db.capture", "--app=picked-up")
    run.until(lambda: heroku.requests("data", "GET", "/transfers/"))
    run.signal(SIGINT)
    run.end().refuses("backup b001, which goes on", "--backup=b001", code=130)
    heroku.forget_requests()

    pull = project.start("db.pull", "--app=picked-up", "--backup=b001")
    pull.says("Waiting for b001")
    heroku.behave()

    pull.end().succeeds()
    assert target.family == {"target", "original"}
    assert heroku.requests(method="POST", path="/backups") == []


def test_while_fetching_what_has_arrived_stays(
    world: World, project: Project, heroku: StandIn, target: Target
) -> None:
    size = (world.dumps / "bulk.dump").stat().st_size
    [hanging] = heroku.misbehave(faults.hang(at=9_000_000, times=None))
    run = project.start("db.pull", "--app=bulk-eu", "--connections=1")

    with _stopped(
        run,
        target,
        SIGHUP,
        f"Stopped by {HOW[SIGHUP]} while fetching and restoring bulk-eu b001",
    ):
        run.says("Fetching and restoring")
        # Sent is not yet arrived.
        run.until(lambda: _begins(project, world.dumps / "bulk.dump", 9_000_000))

    [part, journal] = project.dumps()
    assert (part[-10:], journal[-8:]) == (".dump.part", ".journal")
    heroku.behave(hanging)
    heroku.forget_requests()
    ended = project.invoke("db.fetch", "--app=bulk-eu").succeeds()
    assert "9.0 MB of it were here from an earlier run" in ended.err
    # One byte more, to see that it is the same object.
    assert heroku.total("download").sent == size - 9_000_000 + 1


def _begins(project: Project, dump: Path, size: int) -> bool:
    """Whether the part file has so much of that dump."""
    with dump.open("rb") as file:
        wanted = file.read(size)
    for path in project.local.glob("*.part"):
        with path.open("rb") as file:
            return file.read(size) == wanted
    return False


@pytest.mark.parametrize(
    ("app", "doing", "at_work", "number"),
    [
        ("slow-index", "restoring slow-index b001", "CREATE INDEX", SIGTERM),
        ("slow-analyze", "checking and analyzing", "ANALYZE", SIGINT),
    ],
    ids=["restore", "check"],
)
def test_while_restoring_or_checking_the_aside_database_goes(
    project: Project,
    target: Target,
    app: str,
    doing: str,
    at_work: str,
    number: signal.Signals,
) -> None:
    run = project.start("db.pull", f"--app={app}")

    with _stopped(run, target, number, f"Stopped by {HOW[number]} while {doing}"):
        run.until(lambda: at_work in _active(target))

    assert len(project.dumps()) == 1


@pytest.fixture
def held_back(world: World, target: Target) -> Iterator[Callable[[], str]]:
    """Hold the swap back by a lock on the target's row; calling it lets go."""
    comment = f"begin; comment on database {target.name} is 'held'"
    with world.modern.session("postgres", comment) as session:
        yield lambda: session.ask("rollback")


def test_while_swapping_the_swap_is_finished_first(
    world: World,
    project: Project,
    target: Target,
    held_back: Callable[[], str],
) -> None:
    old = target.oid
    run = project.start("db.pull", "--app=small-eu")
    run.until(lambda: "RENAME" in _active(target))

    run.signal(SIGTERM)
    time.sleep(0.2)
    assert run.process.poll() is None
    held_back()

    ended = run.end()
    ended.refuses(
        f"Stopped by {HOW[SIGTERM]}", "in place already.*db.undo", code=128 + SIGTERM
    )
    assert target.family == {"target", "original"}
    assert world.modern.picture(target.name) == world.modern.picture("small")
    project.invoke("db.undo").succeeds()
    assert target.oid == old


def test_who_can_not_wait_for_the_swap_keeps_the_old_database(
    project: Project, target: Target, held_back: Callable[[], str]
) -> None:
    before = target.oid
    run = project.start("db.pull", "--app=small-eu")
    run.until(lambda: "RENAME" in _active(target))

    run.hurry()

    run.end().refuses("Stopped by Ctrl-C", "target is as it was", code=130)
    held_back()
    assert target.oid == before
    assert target.family == {"target"}


def test_ctrl_c_on_a_terminal_reaches_all_and_ends_in_order(
    project: Project, target: Target
) -> None:
    leader, follower = pty.openpty()
    before = target.oid
    process = subprocess.Popen(
        [*INVOKE, "db.pull", "--app=slow-index"],
        cwd=project.folder,
        env={**os.environ, **project.environment, "TERM": "xterm"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
        preexec_fn=lambda: os.login_tty(follower),
    )
    os.close(follower)
    while "CREATE INDEX" not in _active(target):
        assert process.poll() is None
        time.sleep(0.1)

    os.write(leader, b"\x03")
    told = _read(leader)

    assert process.wait(30) == 130
    assert "Stopped by Ctrl-C while restoring slow-index b001" in told
    assert "\x1b[" in told  # it is a terminal: there was a bar
    assert (target.oid, target.family) == (before, {"target"})


def _read(terminal: int) -> str:
    """What a terminal shows until nobody writes to it any more."""
    told = b""
    try:
        while piece := os.read(terminal, 65536):
            told += piece
    except OSError:  # Linux says EIO where the last writer has gone
        pass
    os.close(terminal)
    return told.decode(errors="replace").replace("\r\n", " ")


def _active(target: Target) -> str:
    sql = "select string_agg(query, ';') from pg_stat_activity where state = 'active'"
    return target.postgres.sql("postgres", f"{sql} and pid <> pg_backend_pid();")
