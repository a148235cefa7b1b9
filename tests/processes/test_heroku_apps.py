from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dbpull.errors.sources import NoSource
from dbpull.heroku import AppChoice, app_name

ALIASES = {"staging": "myapp-staging-eu", "typo": "My App"}
Git = Callable[..., None]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Git as it is, without anybody's configuration."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path / "home"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(tmp_path),
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def git(folder: Path, environ: dict[str, str]) -> Git:
    """Run git in the folder, which is a repository."""

    def run(*args: str) -> None:
        subprocess.run(
            ["git", *args], cwd=folder, env=environ, check=True, capture_output=True
        )

    run("init", "-q")
    return run


def test_an_explicit_app_wins(git: Git, folder: Path, environ: dict[str, str]) -> None:
    git("remote", "add", "heroku", "https://git.heroku.com/from-git.git")
    environ["HEROKU_APP"] = "from-environment"

    chosen = app_name("from-flag", ALIASES, environ, folder)

    assert chosen == AppChoice("from-flag", None, "--app")


def test_heroku_app_comes_before_git(
    git: Git, folder: Path, environ: dict[str, str]
) -> None:
    git("remote", "add", "heroku", "https://git.heroku.com/from-git.git")
    environ["HEROKU_APP"] = "from-environment"

    chosen = app_name(None, ALIASES, environ, folder)

    assert chosen == AppChoice("from-environment", None, "HEROKU_APP")


@pytest.mark.parametrize(
    "url",
    [
        "git@heroku.com:shop.git",
        "ssh://git@heroku.com/shop.git",
        "https://git.heroku.com/shop.git",
        "https://me:secret@git.heroku.com/shop.git",
        "https://git.heroku.com/shop",
    ],
)
def test_the_app_of_a_git_remote(
    url: str, git: Git, folder: Path, environ: dict[str, str]
) -> None:
    git("remote", "add", "origin", "git@github.com:me/shop.git")
    git("remote", "add", "prod", url)
    (folder / "sub").mkdir()

    chosen = app_name("", {}, environ, folder / "sub")

    assert chosen == AppChoice("shop", None, "git remote prod")


@pytest.mark.parametrize(
    "url",
    [
        "git@github.com:heroku.com/shop.git",
        "https://git.heroku.com.evil.com/shop.git",
        "https://gitxheroku.com/shop.git",
        "https://example.com/https://git.heroku.com/shop.git",
    ],
)
def test_a_remote_that_only_looks_like_herokus(
    url: str, git: Git, folder: Path, environ: dict[str, str]
) -> None:
    git("remote", "add", "origin", url)

    with pytest.raises(NoSource, match="No Heroku app given"):
        app_name(None, {}, environ, folder)


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"HEROKU_GIT_HOST": "git.corp.example"}, "https://git.corp.example/shop.git"),
        ({"HEROKU_GIT_HOST": "git.corp.example"}, "git@git.corp.example:shop.git"),
        ({"HEROKU_HOST": "herokudev.com"}, "https://git.herokudev.com/shop.git"),
        ({"HEROKU_HOST": "http://localhost:5000"}, "https://localhost:5000/shop.git"),
    ],
)
def test_another_git_host(
    variables: dict[str, str],
    url: str,
    git: Git,
    folder: Path,
    environ: dict[str, str],
) -> None:
    git("remote", "add", "heroku", url)

    assert app_name(None, {}, environ | variables, folder).name == "shop"


def test_remotes_of_several_apps_are_listed(
    git: Git, folder: Path, environ: dict[str, str]
) -> None:
    git("remote", "add", "production", "https://git.heroku.com/shop.git")
    git("remote", "add", "staging", "https://git.heroku.com/shop-staging.git")

    with pytest.raises(NoSource, match="--app=shop") as several:
        app_name(None, {}, environ, folder)

    assert "shop (remote production)" in several.value.what
    assert "shop-staging (remote staging)" in several.value.what


def test_several_remotes_of_one_app_are_no_question(
    git: Git, folder: Path, environ: dict[str, str]
) -> None:
    git("remote", "add", "one", "https://git.heroku.com/shop.git")
    git("remote", "add", "two", "git@heroku.com:shop.git")

    assert app_name(None, {}, environ, folder).name == "shop"


def test_of_several_remotes_the_one_called_heroku_is_meant(
    git: Git, folder: Path, environ: dict[str, str]
) -> None:
    git("remote", "add", "aside", "https://git.heroku.com/shop-staging.git")
    git("remote", "add", "heroku", "https://git.heroku.com/shop.git")

    chosen = app_name(None, {}, environ, folder)

    assert chosen == AppChoice("shop", None, "git remote heroku")


def test_git_config_heroku_remote_decides(
    git: Git, folder: Path, environ: dict[str, str]
) -> None:
    git("remote", "add", "heroku", "https://git.heroku.com/shop.git")
    git("remote", "add", "staging", "https://git.heroku.com/shop-staging.git")
    git("config", "heroku.remote", "staging")

    assert app_name(None, {}, environ, folder).name == "shop-staging"


def test_git_config_heroku_remote_that_is_none_is_said(
    git: Git, folder: Path, environ: dict[str, str]
) -> None:
    git("remote", "add", "heroku", "https://git.heroku.com/shop.git")
    git("config", "heroku.remote", "stagin")

    with pytest.raises(NoSource, match=r"heroku\.remote names 'stagin'"):
        app_name(None, {}, environ, folder)


def test_without_an_app_every_place_is_named(
    folder: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(NoSource, match="no git repository") as nothing:
        app_name(None, {}, environ, folder)

    places = ("--app", "db.app", "INVOKE_DB_APP", "HEROKU_APP", "git remote")
    for place in places:
        assert place in nothing.value.remedy


def test_without_git_there_is_no_crash(folder: Path, environ: dict[str, str]) -> None:
    environ["PATH"] = str(folder)

    with pytest.raises(NoSource, match="git could not be run"):
        app_name(None, {}, environ, folder)


def test_a_folder_that_is_not_there_is_no_crash(
    folder: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(NoSource, match="No Heroku app given"):
        app_name(None, {}, environ, folder / "nowhere")
