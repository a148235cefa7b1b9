"""Git takes no dump, and no file of somebody else's is changed without a word."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dbpull.download.ignored import keep_out_of_git, make_private
from lacking import need

NAME = "shop-b101-20260101T000000Z.dump"


def git(folder: Path, *words: str) -> str:
    argv = ["git", "-C", str(folder), *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a .gitignore that git tracks."""
    need("git")
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / ".gitignore").write_text("*.log\n")
    git(folder, "add", ".gitignore")
    return folder


def taken(folder: Path) -> str:
    """What git would take or has to say of the folder, after a download in it."""
    for name in (NAME, f"{NAME}.part", f"{NAME}.part.journal"):
        (folder / name).touch()
    return git(folder, "status", "--porcelain", "--untracked-files=all", ".")


@pytest.mark.parametrize("folder", ["", "sub/deeper"])
@pytest.mark.parametrize("rule", ["*.dump*", "*.dump\n*.part\n*.journal", "/**/shop-*"])
def test_where_git_ignores_dumps_already_no_file_changes(
    project: Path, folder: str, rule: str
) -> None:
    (project / ".gitignore").write_text(f"{rule}\n# ours\n")
    git(project, "add", ".gitignore")
    (project / folder).mkdir(parents=True, exist_ok=True)
    (project / folder / "code.py").touch()
    git(project, "add", "-A")

    assert keep_out_of_git(project / folder / NAME) == ""

    assert [*project.rglob(".gitignore")] == [project / ".gitignore"]
    assert "dump" not in taken(project / folder)
    assert git(project, "diff") == ""


def test_a_rule_of_the_users_own_counts(project: Path) -> None:
    (project / ".git/info/exclude").write_text("*.dump*\n")

    assert keep_out_of_git(project / NAME) == ""
    assert (project / ".gitignore").read_text() == "*.log\n"


@pytest.mark.parametrize("rule", ["*.dump", "*.dump*\n!shop-*"])
def test_a_rule_that_spares_a_part_is_not_enough(project: Path, rule: str) -> None:
    (project / ".gitignore").write_text(f"*.log\n{rule}\n!*.part")
    git(project, "add", ".gitignore")
    folder = project / "sub"
    folder.mkdir()

    said = keep_out_of_git(folder / NAME)

    assert str(folder / ".gitignore") in said
    assert "dump" not in taken(folder)


def test_what_is_changed_is_said_once(project: Path) -> None:
    said = keep_out_of_git(project / NAME)

    assert str(project / ".gitignore") in said
    assert (project / ".gitignore").read_text() == "*.log\n*.dump*\n"
    assert keep_out_of_git(project / NAME) == ""


def test_the_innermost_repository_decides(project: Path) -> None:
    (project / ".gitignore").write_text("*.dump*\n")
    nested = project / "nested"
    nested.mkdir()
    git(nested, "init", "-q")

    assert str(nested / ".gitignore") in keep_out_of_git(nested / NAME)
    assert "dump" not in taken(nested)


def test_a_hooks_repository_is_not_asked(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    (other / ".git/info/exclude").write_text("*\n")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))

    assert keep_out_of_git(project / NAME)


def test_outside_a_repository_and_without_git_a_line_is_added_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "README").touch()
    monkeypatch.setenv("PATH", str(tmp_path))

    assert ".gitignore" in keep_out_of_git(tmp_path / NAME)
    assert (tmp_path / ".gitignore").read_text() == "*.dump*\n"


def test_a_gitignore_that_can_not_be_written_is_said(project: Path) -> None:
    (project / ".gitignore").unlink()
    (project / ".gitignore").symlink_to(project / "elsewhere")

    said = keep_out_of_git(project / NAME)

    assert "can't be written" in said
    assert "add the line *.dump*" in said
    assert not (project / "elsewhere").exists()


def test_a_folder_of_our_own_is_out_of_git_without_a_word(project: Path) -> None:
    folder = project / "local"
    make_private(folder)

    assert folder.stat().st_mode & 0o777 == 0o700
    assert keep_out_of_git(folder / NAME) == ""
    assert taken(folder) == ""
