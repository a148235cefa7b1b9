"""A target that another source filled: named, and not replaced where nobody watches."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

from projects import Project
from targets import Target

CONFIG = """
db:
  sources:
    client1: heroku:small-eu
    client2: {{source: heroku:two-backups, target: "{url}"}}
"""


def test_another_source_replaces_it_only_on_a_terminal_where_the_first_line_tells_it(
    project: Project, target: Target
) -> None:
    project.invoke("db.pull", "--app=small-eu").succeeds()

    project.invoke("db.fetch", "--app=two-backups").succeeds()
    before = target.oid, target.postgres.changes()

    for words in (
        ("db.pull", "--app=two-backups"),
        ("db.pull", "--source=two-backups", "--dry-run"),
        ("db.restore", "--app=two-backups"),
    ):
        ended = project.invoke(*words)
        holds = "filled from small-eu b101 until now"
        ended.refuses(holds, "pass --target=URL, or give the source a `target`")

    assert (target.oid, target.postgres.changes()) == before
    code, told = on_a_terminal(project, "db.pull", "--app=two-backups")
    assert code == 0, told
    assert "which holds small-eu b101, " in " ".join(told.split())


def test_the_same_source_by_another_name_replaces_it_and_one_whose_own_target_it_is(
    project: Project, target: Target
) -> None:
    project.configure(CONFIG.format(url=target.url))
    project.invoke("db.pull", "--app=small-eu").succeeds()

    again = project.invoke("db.pull", "--source=client1", "--dry-run").succeeds()
    ended = project.invoke("db.pull", "--source=client2").succeeds()

    assert "small-eu (client1)" in again.err
    first = ended.err.splitlines()[0]
    assert first.startswith("two-backups (client2) b002, 1 hour old → ")
    assert "(db.sources.client2.target in invoke.yaml)" in first
    assert "which holds small-eu b101, " in first


def on_a_terminal(project: Project, *task: str) -> tuple[int, str]:
    """A run whose stderr is one: its code, and what it told there."""
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "invoke", *task]
    with subprocess.Popen(
        words, stderr=theirs, cwd=project.folder, env=project.environment
    ) as run:
        os.close(theirs)
        told = b""
        while chunk := _read(ours):
            told += chunk
    os.close(ours)
    return run.returncode, told.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""
