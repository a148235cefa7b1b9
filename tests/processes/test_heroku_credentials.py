"""The token that Heroku's CLI tells."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbpull.errors.heroku import HerokuError
from dbpull.heroku import credentials, token


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home without a login, and a PATH without the Heroku CLI."""
    (tmp_path / "bin").mkdir()
    return {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin"}


def install_cli(environ: dict[str, str], script: str) -> None:
    program = Path(environ["HOME"], "bin", "heroku")
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    environ["PATH"] += f"{os.pathsep}/usr/bin{os.pathsep}/bin"


def test_the_cli_comes_last(environ: dict[str, str]) -> None:
    install_cli(
        environ,
        '[ "$*" = auth:token ] || exit 9\n'
        "echo ' >   Warning: token will expire' >&2\necho HRKU-abc",
    )

    found = token(environ)

    assert (found.value, found.origin) == ("HRKU-abc", "`heroku auth:token`")


@pytest.mark.parametrize(
    "script",
    ["echo not logged in >&2; exit 100", "echo half-a-token; exit 1", "exit 0"],
)
def test_a_cli_without_a_login_is_no_token(
    environ: dict[str, str], script: str
) -> None:
    install_cli(environ, script)

    with pytest.raises(HerokuError, match="`heroku auth:token` knows none"):
        token(environ)


def test_a_cli_that_asks_gets_no_answer_and_does_not_hang(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_CLI_SECONDS", 0.2)
    install_cli(environ, "read answer && echo $answer; exec sleep 20")

    with pytest.raises(HerokuError, match="did not answer"):
        token(environ)
