"""A command's output is the dump, or its source: whatever it does, nothing is half."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from shlex import quote

import pytest

from killed import unlocked
from projects import Project
from silences import gone, until
from targets import Target
from worlds import World

PLACES = range(10)
ITSELF = "Run it by itself"
HANGING = "trap '' TERM; echo $$ >{pids}; head -c -9 {dump}; while :; do sleep 1; done"
TOLD = "The source is no longer read."


def pg_dump(world: World) -> str:
    """A command that dumps the shop, with the password in its words."""
    words = [world.modern.program("pg_dump"), "-Fc", world.modern.url("shop")]
    return " ".join(map(quote, words))


@pytest.fixture(scope="module")
def dump(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return world.modern.dump("shop", tmp_path_factory.mktemp("shop") / "shop.dump")


@pytest.fixture
def target(standing: Target) -> Target:
    """One for all that is refused here: none of it may change it."""
    return standing


def test_a_dump_is_named_after_its_command_and_its_end_is_told(
    world: World, project: Project
) -> None:
    ended = project.invoke("db.fetch", f"--source=| {pg_dump(world)}").succeeds()

    assert TOLD in ended.err
    [kept] = project.dumps()
    assert kept.startswith("command--")


@pytest.mark.parametrize("place", PLACES)
def test_output_cut_short_is_refused_though_the_command_succeeds(
    dump: Path, project: Project, target: Target, place: int
) -> None:
    count = 1 + dump.stat().st_size * place // len(PLACES)
    with target.untouched():
        ended = project.invoke("db.pull", f"--source=| head -c {count} {dump}")

    ended.refuses("ended early, .*though the command said that it succ", "Run the same")
    assert project.dumps() == []


@pytest.mark.parametrize(
    ("command", "cause", "remedy"),
    [
        ("echo oh >&2; exit 3", "3` failed with exit code 3: oh", ITSELF),
        ("gzip -c DUMP | head -c 50000", "ended early or is damaged, though", "tunnel"),
        ("cat DUMP | sed 's/$/\\r/'", "came through a terminal", "ssh -T"),
        ("head -c 9999 DUMP; echo gone >&2; exit 1", "exit code 1: gone", ITSELF),
        ("cat DUMP; echo token: a >&2; exit 1", r"token: \[left out\]", ITSELF),
    ],
)  # fmt: skip; what else it may print: processes/test_printed.py
def test_a_command_that_prints_no_whole_dump_is_refused(
    dump: Path, project: Project, target: Target, command: str, cause: str, remedy: str
) -> None:
    command = command.replace("DUMP", str(dump))
    with target.untouched():
        ended = project.invoke("db.pull", f"--source=| {command}")

    ended.refuses(cause, remedy)
    assert project.dumps() == []


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL]
)
def test_a_command_ends_with_us_even_if_it_ignores_sigterm(
    dump: Path, project: Project, target: Target, number: int
) -> None:
    pids = project.folder / "pids"
    command = HANGING.format(pids=pids, dump=dump)
    with target.untouched():
        run = project.start("db.pull", f"--source=| {command}")
        run.says("Fetching and restoring")
        run.signal(number)
        ended = run.end()
        until(lambda: gone(int(pids.read_text())))
        unlocked(target.postgres)
        project.invoke("db.cleanup").succeeds()

    assert ended.code == (128 + number if number != signal.SIGKILL else -number)
    assert project.dumps() == []


def test_a_dump_that_is_here_is_used_and_a_new_one_is_taken_if_asked(
    dump: Path, project: Project, make_target: Callable[..., Target]
) -> None:
    project.environment["DATABASE_URL"] = make_target().url
    source = f"--source=| echo x >>ran; cat {dump}"
    project.invoke("db.fetch", source).succeeds()
    listed = project.invoke("db.backups", source).succeeds()
    again = project.invoke("db.fetch", source).succeeds()
    project.invoke("db.pull", source, "--capture").succeeds()
    project.invoke("db.capture", source).succeeds()

    assert "d1" in listed.out
    assert "is here and whole" in again.err
    assert (project.folder / "ran").read_text().count("x") == 3
    assert [name.split("-")[3] for name in project.dumps()] == ["d1", "d2", "d3"]
