"""An app's name, as it is typed and as Heroku has it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbpull.errors.heroku import HerokuError
from dbpull.heroku import app_name

ALIASES = {"staging": "myapp-staging-eu", "typo": "My App"}


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


def test_an_alias_is_looked_up(folder: Path, environ: dict[str, str]) -> None:
    chosen = app_name("staging", ALIASES, environ, folder, origin="db.app")

    assert (chosen.name, chosen.alias) == ("myapp-staging-eu", "staging")
    assert chosen.origin == "db.app, alias staging in db.apps"


@pytest.mark.parametrize(
    "name",
    ["../x", "staging/..", "Shop", "a", "9lives", "shop-", "x" * 31, "a b", "ü2"],
)
def test_what_cannot_be_an_apps_name_is_refused(
    name: str, folder: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(HerokuError, match="from --app") as bad:
        app_name(name, ALIASES, environ, folder)
    assert "staging" in bad.value.remedy

    with pytest.raises(HerokuError, match="from HEROKU_APP"):
        app_name(None, ALIASES, environ | {"HEROKU_APP": name}, folder)


def test_an_alias_of_what_cannot_be_a_name_says_so(
    folder: Path, environ: dict[str, str]
) -> None:
    with pytest.raises(HerokuError, match=r"'My App' .*alias typo in db\.apps"):
        app_name("typo", ALIASES, environ, folder)


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("stagign", "staging"),
        ("stage", "staging"),
        ("myapp-stagng-eu", "myapp-staging-eu"),
        ("staging", ""),
        ("myapp-staging-eu", ""),
        ("something-else", ""),
    ],
)
def test_an_unknown_name_has_the_one_that_is_most_like_it(
    folder: Path, environ: dict[str, str], asked: str, near: str
) -> None:
    found = app_name(asked, ALIASES, environ, folder)

    assert found.near == (f"Did you mean {near}? " if near else "")


@pytest.mark.parametrize("asked", ["Staging", "staging_", "STAGIGN", "stagign!"])
def test_what_cannot_be_a_name_is_answered_with_the_nearest_alias(
    folder: Path, environ: dict[str, str], asked: str
) -> None:
    with pytest.raises(HerokuError, match=r"Did you mean staging\? Aliases"):
        app_name(asked, ALIASES, environ, folder)


def test_an_apps_uuid_is_a_name(folder: Path, environ: dict[str, str]) -> None:
    uuid = "01234567-89ab-cdef-0123-456789abcdef"

    assert app_name(uuid, {}, environ, folder).name == uuid
