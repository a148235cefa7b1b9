"""`fab -H devbox db.pull --source=render:…`: an export stays here, rows can travel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from machines import Machine, fab, introduce
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
def at_render(world: World) -> Iterator[RenderStandIn]:
    """Render, with the database `shop`."""
    with RenderStandIn() as stand_in:
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


def test_an_export_is_refused_with_the_other_way(
    project: Project, target: Target, at_render: RenderStandIn
) -> None:
    with target.unasked():
        ended = fab(project, "devbox", "db.pull", "--source=exports")

    ended.refuses("An export of exports is a folder", "live: true")
    assert at_render.asked == []


def test_the_database_itself_is_read_here_and_sent(
    world: World, project: Project, target: Target
) -> None:
    fab(project, "devbox", "db.pull", "--source=live").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture("shop")
