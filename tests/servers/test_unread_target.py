"""Where a target was plainly meant and is not read, no embedded server is filled."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dbpull import embedded
from projects import Ended, Project

URL = "postgres://me:s3cret@localhost/dev"


def refused(project: Project, ended: Ended, cause: str) -> None:
    ended.refuses(f"^{cause}", "DATABASE_URL=postgres://…|Correct .env")
    assert "s3cret" not in ended.err
    assert not (project.folder / ".dbpull").exists()
    assert project.dumps() == []


# What else is understood so: tests/unit/test_unread_target.py.
@pytest.mark.parametrize(
    ("name", "text", "cause"),
    [
        (".env", f"DATABASE_URL: {URL}\n", ".env can't be read: line 1"),
        (".env", "DATABASE_URL=\n", "DATABASE_URL in .env is empty"),
        ("a/b/.env", f"DATABASE_URL={URL}\n", "a/b/.env has .*, and is not read"),
    ],
)
def test_what_is_not_read_is_told_and_nothing_is_done(
    make_project: Callable[..., Project], name: str, text: str, cause: str
) -> None:
    project = make_project()
    path = project.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)

    refused(project, project.invoke_in(path.parent, "db.pull", "--app=staging"), cause)


def test_the_remedy_that_is_told_helps(make_project: Callable[..., Project]) -> None:
    project = make_project()
    project.keeps_running = True
    (project.folder / "backend").mkdir()
    (project.folder / "backend" / ".env").write_text(f"DATABASE_URL={URL}\n")
    try:
        project.invoke("db.start").succeeds()
        url = server_of(project).url("development")
        (project.folder / ".env").write_text(f"DATABASE_URL={url}\n")

        project.invoke("db.pull", "--app=small-eu").succeeds()
    finally:
        server_of(project).delete()


def server_of(project: Project) -> embedded.Server:
    return embedded.Server(Path(project.folder) / ".dbpull" / "server")
