"""`fab -H devbox db.pull`: real machines over SSH, each with a server of its own."""

from __future__ import annotations

from pathlib import Path

from dbpull.demo.stand_in import StandIn
from machines import Machine, fab, introduce
from projects import Project
from targets import Target
from worlds import World


def test_a_hosts_database_becomes_equal_to_the_source(
    world: World, project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    introduce(Path(project.environment["HOME"]), devbox)

    fab(project, "devbox", "db.pull", "--app=staging").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture("shop")
    assert target.family == {"target", "previous"}
    devbox.settled()
