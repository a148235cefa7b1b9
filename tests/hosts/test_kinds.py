"""Every kind of object on a host: what a serial pg_restore makes of a dump."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from choices import in_turn
from databases import FOLDERS
from kinds import UNSAID, Kinds, everything, refuse_differences
from machines import Machine, fab, introduce
from projects import Project
from targets import Target, Watched
from worlds import World


@pytest.fixture
def on(request: pytest.FixtureRequest, world: World) -> Watched:
    name = request.param
    return world.modern if name == "wheel" else world.others[int(name)]


@pytest.fixture
def target(make_target: Callable[..., Target], on: Watched) -> Target:
    return make_target(on)


@pytest.mark.parametrize(
    ("name", "jobs", "on"),
    in_turn(["kinds", *UNSAID], [1, 2, 5], list(FOLDERS)),
    indirect=["on"],
)
def test_a_host_restores_as_a_serial_pg_restore_does(
    on: Watched, target: Target, project: Project, devbox: Machine, run_folder: Path,
    name: str, jobs: int,
) -> None:  # fmt: skip
    kinds = Kinds.of(on, name, run_folder)
    introduce(Path(project.environment["HOME"]), devbox)
    dump = shutil.copy(kinds.dump, devbox.home / "kinds.dump")
    options = {"INVOKE_DB_JOBS": str(jobs)}

    fab(project, "devbox", "db.restore", f"--dump={dump}", **options).succeeds()

    refuse_differences(everything(kinds.on, target.name), kinds.serial)
