"""The project's folder: its .env and its invoke.yaml."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dbpull.errors.settings import UnreadableFile
from dbpull.project import PROJECT, make_own_folder, own_folder


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project. What its .env adds to the environment goes with the test."""
    for name in ("SHOP_A", "SHOP_B", "INVOKE_DB_APP"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


def test_a_project_without_files_is_fine(project: Path) -> None:
    PROJECT.load(project)

    assert PROJECT.folder == project
    assert PROJECT.environment == {}


def test_the_env_file_adds_what_is_not_set(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".env").write_text("SHOP_A='file'\nexport SHOP_B=file # why\nSHOP_C\n")
    monkeypatch.setenv("SHOP_A", "real")

    PROJECT.load(project)

    assert (os.environ["SHOP_A"], os.environ["SHOP_B"]) == ("real", "file")
    assert "SHOP_C" not in os.environ
    assert PROJECT.origin("SHOP_A") == "SHOP_A"
    assert PROJECT.origin("SHOP_B") == "SHOP_B in .env"
    assert (PROJECT.place("SHOP_A"), PROJECT.place("SHOP_B")) == (
        "the environment",
        ".env",
    )


def test_a_variable_that_is_set_but_empty_wins_too(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".env").write_text("SHOP_A=file\n")
    monkeypatch.setenv("SHOP_A", "")

    PROJECT.load(project)

    assert os.environ["SHOP_A"] == ""


def test_settings_are_taken_out_of_the_environment(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".env").write_text("INVOKE_DB_APP=staging\n")
    monkeypatch.setenv("INVOKE_DB_KEEP", "some")
    monkeypatch.setenv("INVOKE_RUN_ECHO", "1")

    PROJECT.load(project)

    assert PROJECT.environment == {"INVOKE_DB_APP": "staging", "INVOKE_DB_KEEP": "some"}
    assert not [name for name in os.environ if name.startswith("INVOKE_DB_")]
    assert os.environ["INVOKE_RUN_ECHO"] == "1"


def test_an_env_file_that_can_not_be_read_is_told(project: Path) -> None:
    (project / ".env").write_bytes(b"SHOP_A=\xff\xfe\n")

    with pytest.raises(UnreadableFile, match=r"\.env can't be read: it is not UTF-8"):
        PROJECT.load(project)


@pytest.mark.parametrize("name", ["invoke.yaml", "invoke.yml"])
@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"db:\n  target: postgres://me:s3cret@h/d\n keep: 3\n", "line 3: "),
        (b"db: {target: 's3cret\n", "line 2: "),
        (b"\tdb: s3cret\n", "line 1: "),
        (b"- db\n", "it is not a mapping"),
        (b"just a text", "it is not a mapping"),
        (b"db: \xff", "it is not UTF-8"),
        (b"db: !!python/object:os.system s3cret", "line 1: "),
        (b"db: \x00", "it is not YAML"),
    ],
)
def test_a_broken_invoke_yaml_is_told_without_its_secrets(
    project: Path, name: str, content: bytes, cause: str
) -> None:
    (project / name).write_bytes(content)

    with pytest.raises(UnreadableFile) as caught:
        PROJECT.load(project)

    assert str(caught.value).startswith(f"{name} can't be read: {cause}")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "# nothing\n", "run: {echo: true}\n"])
def test_an_invoke_yaml_that_says_nothing_of_ours_is_fine(
    project: Path, content: str
) -> None:
    (project / "invoke.yaml").write_text(content)

    PROJECT.load(project)


def test_our_own_folder_is_private_and_ignored_by_git(project: Path) -> None:
    PROJECT.load(project)

    assert not own_folder().exists()
    make_own_folder()
    make_own_folder()

    folder = own_folder()
    assert folder == project / ".dbpull"
    assert stat.S_IMODE(folder.stat().st_mode) & 0o066 == 0
    assert (folder / ".gitignore").read_text() == "*\n"
