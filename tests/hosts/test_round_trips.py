"""How many programs a pull starts on a host: each costs a round trip, and a shell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from machines import Machine, introduce, start_fab
from projects import Project
from targets import Target

MOST = 21
"""Programs for a pull of a small dump, beside the agent."""


@pytest.mark.usefixtures("target")
def test_a_pull_of_a_small_dump_starts_few_programs_on_its_host(
    project: Project, devbox: Machine, target: Target
) -> None:
    introduce(Path(project.environment["HOME"]), devbox)
    before = _sessions(devbox)
    pull = "--app=staging", "--delete"

    run = start_fab(project, "devbox", "--echo", "db.pull", *pull)

    assert run.process.wait(60) == 0, run.err
    listed = re.findall(r"^devbox: devbox\$ (.*)", run.err, re.MULTILINE)
    assert len(listed) <= MOST, "\n".join(listed)
    # The agent's, that of an `end` where a psql is slow to end, and two in advance.
    assert _sessions(devbox) - before <= len(listed) + 4
    assert not [line for line in listed if "--version" in line]


def _sessions(machine: Machine) -> int:
    return machine.log.read_text().count("Starting session")
