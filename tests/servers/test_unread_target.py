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


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (f"DATABASE_URL: {URL}\n", ".env can't be read: line 1"),
        (f"DATABASE_URL='{URL}\n", ".env can't be read: line 1"),
        ("DATABASE_URL=\n", "DATABASE_URL in .env is empty"),
        ("INVOKE_DB_TARGET=\n", "INVOKE_DB_TARGET in .env is empty"),
        ("DATABASE_URL=${NOT_SET}\n", "DATABASE_URL in .env is empty"),
        (f"DB_URL={URL}\n", ".env has DB_URL, which is not read"),
        (f"database_url={URL}\n", ".env has database_url, which is not read"),
    ],
)
def test_a_line_that_is_not_understood(
    make_project: Callable[..., Project], text: str, cause: str
) -> None:
    project = make_project()
    (project.folder / ".env").write_text(text)

    refused(project, project.invoke("db.pull", "--app=staging"), cause)


@pytest.mark.parametrize("name", [".env.local", ".envrc", "../.env", "backend/.env"])
@pytest.mark.parametrize("sign", ["=", ": "])
def test_a_file_that_is_not_read(
    make_project: Callable[..., Project], name: str, sign: str
) -> None:
    project = make_project()
    path = project.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"DATABASE_URL{sign}{URL}\n")

    ended = project.invoke("db.pull", "--app=staging")

    refused(project, ended, f"{name} has .*, and is not read")
    path.unlink()


def test_the_file_of_the_folder_one_is_in(make_project: Callable[..., Project]) -> None:
    project = make_project()
    below = project.folder / "a" / "b"
    below.mkdir(parents=True)
    (below / ".env").write_text(f"DATABASE_URL={URL}\n")

    ended = project.invoke_in(below, "db.pull", "--app=staging")

    refused(project, ended, "a/b/.env has DATABASE_URL, and is not read")


def test_the_remedy_that_is_told_helps(make_project: Callable[..., Project]) -> None:
    project = make_project()
    project.keeps_running = True
    (project.folder / "backend").mkdir()
    (project.folder / "backend" / ".env").write_text(f"DATABASE_URL={URL}\n")
    try:
        project.invoke("db.start").succeeds()
        url = server_of(project).url("development")
        (project.folder / ".env").write_text(f"DATABASE_URL={url}\n")

        project.invoke("db.pull", "--app=staging").succeeds()
    finally:
        server_of(project).delete()


def server_of(project: Project) -> embedded.Server:
    return embedded.Server(Path(project.folder) / ".dbpull" / "server")
