from __future__ import annotations

import os
from pathlib import Path

import pytest

from dbpull.errors.heroku import HerokuError
from dbpull.heroku import Api, token


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A home without a login, and a PATH without the Heroku CLI."""
    (tmp_path / "bin").mkdir()
    return {"HOME": str(tmp_path), "PATH": f"{tmp_path}/bin"}


def write_netrc(environ: dict[str, str], text: str) -> None:
    Path(environ["HOME"], ".netrc").write_text(text)


def install_cli(environ: dict[str, str], script: str) -> None:
    program = Path(environ["HOME"], "bin", "heroku")
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    environ["PATH"] += f"{os.pathsep}/usr/bin{os.pathsep}/bin"


def test_heroku_api_key_wins(environ: dict[str, str]) -> None:
    write_netrc(environ, "machine api.heroku.com login me password from-netrc")
    environ["HEROKU_API_KEY"] = " from-environment\n"

    found = token(environ)

    assert (found.value, found.origin) == ("from-environment", "HEROKU_API_KEY")


def test_netrc_comes_next(environ: dict[str, str]) -> None:
    environ["HEROKU_API_KEY"] = ""
    write_netrc(
        environ,
        "machine git.heroku.com\n  login me\n  password for-git\n"
        "machine api.heroku.com\n  login me\n  password for-the-api\n",
    )
    install_cli(environ, "echo from-the-cli")

    found = token(environ)

    assert (found.value, found.origin) == ("for-the-api", "~/.netrc")


def test_netrc_is_asked_for_the_host_with_its_port(environ: dict[str, str]) -> None:
    write_netrc(
        environ,
        "machine api.heroku.com login me password real\n"
        "machine 127.0.0.1:5000 login me password local\n",
    )
    environ["HEROKU_HOST"] = "http://127.0.0.1:5000"
    environ["HEROKU_DATA_HOST"] = "127.0.0.1"

    client = Api.from_environment(environ)

    assert token(environ, "127.0.0.1:5000").value == "local"
    assert client.origin == "~/.netrc"


@pytest.mark.parametrize(
    ("netrc", "said"),
    [
        ("machine example.com login me password other", "has no entry for api.heroku"),
        ("default login anonymous password guest", "has no entry for api.heroku"),
        ("machine api.heroku.com login me\n  banana", r"can't be read \(line 2\)"),
    ],
)
def test_a_netrc_without_heroku_is_no_token(
    environ: dict[str, str], netrc: str, said: str
) -> None:
    write_netrc(environ, netrc)

    with pytest.raises(HerokuError, match=said):
        token(environ)


def test_without_any_token_every_place_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(HerokuError, match="No Heroku token") as nothing:
        token(environ)

    for place in ("HEROKU_API_KEY", ".env", "~/.netrc", "heroku login", "dashboard"):
        assert place in nothing.value.remedy
    assert "not installed" in nothing.value.what


@pytest.mark.parametrize("value", ["two words", "line\nbreak", "smart-“quotes”"])
def test_what_no_header_can_hold_is_refused_unseen(
    environ: dict[str, str], value: str
) -> None:
    environ["HEROKU_API_KEY"] = value

    with pytest.raises(HerokuError, match="HEROKU_API_KEY") as malformed:
        token(environ)
    assert value not in str(malformed.value)


def test_a_token_is_not_shown(environ: dict[str, str]) -> None:
    environ["HEROKU_API_KEY"] = "s3cret"

    assert "s3cret" not in repr(token(environ))
