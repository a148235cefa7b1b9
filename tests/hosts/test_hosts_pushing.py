"""`fab -H devbox db.push`: what the app's database is afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from databases import FOLDERS
from machines import Machine, fab, introduce, start_fab
from stagings import MAJOR, PASSWORD, Make, Staging, local_database
from worlds import BAD_KEY, World


def test_a_hosts_database_is_pushed_from_there(
    world: World, staging: Staging, make_machine: Callable[..., Machine]
) -> None:
    # The pg_dump of its PATH is of the server's own version: that one is taken.
    devbox = make_machine(name="devbox", programs=FOLDERS[str(MAJOR)])
    introduce(Path(staging.project.environment["HOME"]), devbox)

    with (
        devbox.watch_processes([PASSWORD.encode()]) as watch,
        devbox.held("pg_dump") as seen,
    ):
        run = start_fab(staging.project, "devbox", *staging.push())
        run.until(lambda: watch.saw(devbox.bin / "pg_dump"))
        seen.touch()
        ended = run.end().succeeds()

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
