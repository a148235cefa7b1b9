"""Where a target was plainly meant and is not read, that is told: file, line, name."""

from __future__ import annotations

from pathlib import Path

import pytest

from dbpull.errors import PullError
from dbpull.project import PROJECT
from dbpull.target import unread

URL = "postgres://me:s3cret@localhost/dev"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's, in which we are; what its .env sets is unset at the end."""
    for name in ("DATABASE_URL", "INVOKE_DB_TARGET", "DB_URL", "database_url"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    folder = tmp_path / "project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def refused(folder: Path, cause: str) -> None:
    with pytest.raises(PullError, match=f"^{cause}") as caught:
        _look(folder)
    told = str(caught.value)
    assert "s3cret" not in told
    assert "DATABASE_URL=postgres://…" in told or "Correct .env" in told


def _look(folder: Path) -> None:
    PROJECT.load(folder)
    unread.refuse()


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
def test_a_line_that_is_not_understood(folder: Path, text: str, cause: str) -> None:
    (folder / ".env").write_text(text)

    refused(folder, cause)


@pytest.mark.parametrize("name", [".env.local", ".envrc", "../.env", "backend/.env"])
@pytest.mark.parametrize("sign", ["=", ": "])
def test_a_file_that_is_not_read(folder: Path, name: str, sign: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"DATABASE_URL{sign}{URL}\n")

    refused(folder, f"{name} has .*, and is not read")


def test_the_file_of_the_folder_one_is_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = folder / "a" / "b"
    below.mkdir(parents=True)
    (below / ".env").write_text(f"DATABASE_URL={URL}\n")
    monkeypatch.chdir(below)

    refused(folder, "a/b/.env has DATABASE_URL, and is not read")
