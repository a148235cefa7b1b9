"""`fab -H devbox db.pull --source=render:…`: exports and rows come by way of us."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from machines import Machine, fab, introduce
from packings import PACKINGS, dumped
from projects import Project
from render_stand_in import KEY, RenderStandIn
from targets import Target
from worlds import World

SOURCES = """
db:
  sources:
    exports: render:shop
    live: {source: render:shop, live: true}
"""


@pytest.fixture
def at_render(world: World, tmp_path: Path) -> Iterator[RenderStandIn]:
    """Render, with the database `shop`, whose exports are folders in a tar.gz."""
    dumped(world.modern, "shop", tmp_path)
    content = PACKINGS["folder in a tar.gz"](tmp_path)
    with RenderStandIn(content) as stand_in:
        stand_in.database(url=world.modern.url("shop"))
        yield stand_in


@pytest.fixture
def project(project: Project, at_render: RenderStandIn, devbox: Machine) -> Project:
    """One whose user knows the machine, and has a key for Render."""
    introduce(Path(project.environment["HOME"]), devbox)
    project.environment.update(at_render.environment)
    project.secrets = (*project.secrets, KEY)
    project.configure(SOURCES)
    return project


def test_an_export_is_unpacked_here_and_sent(
    world: World, project: Project, target: Target
) -> None:
    ended = fab(project, "devbox", "db.pull", "--source=exports").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture("shop")
    assert ended.err.count("is read here once, and then sent by SFTP") == 1


def test_the_database_itself_is_read_here_and_sent(
    world: World, project: Project, target: Target
) -> None:
    fab(project, "devbox", "db.pull", "--source=live").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture("shop")
