"""The token for Heroku's APIs, from the first place that has a token.

HEROKU_API_KEY, then `~/.netrc`, then `heroku auth:token`, which also knows the
keychains where newer versions of the Heroku CLI keep their logins.
"""

from __future__ import annotations

import netrc
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dbpull.errors.heroku import HerokuError
from dbpull.errors.heroku_http import AUTHORIZATIONS

_TOKEN = re.compile(r"[!-~]+")  # printable ASCII without blanks: fits in a header
_CLI_SECONDS = 60


@dataclass(frozen=True)
class Token:
    """A token and its origin; the token is never shown."""

    value: str = field(repr=False)
    origin: str


def token(environ: Mapping[str, str], machine: str = "api.heroku.com") -> Token:
    """The token for the Platform API at `machine` ("host" or "host:port").

    Raises `HerokuError` where no place has a token, or the text is no token.
    """
    value = environ.get("HEROKU_API_KEY", "").strip()
    if value:
        return _checked(Token(value, "HEROKU_API_KEY"))

    tried = ["HEROKU_API_KEY is not set"]
    for look in (_from_netrc, _from_cli):
        found = look(environ, machine)
        if isinstance(found, Token):
            return _checked(found)
        tried.append(found)
    raise HerokuError(
        f"No Heroku token was found: {', '.join(tried)}.",
        "Set HEROKU_API_KEY in the environment or in .env"
        f" ({AUTHORIZATIONS} makes one), or log in with `heroku login` (which fills"
        " ~/.netrc).",
    )


def _from_netrc(environ: Mapping[str, str], machine: str) -> Token | str:
    """The token in ~/.netrc, or the reason why it has none."""
    home = Path(environ.get("HOME") or Path.home())
    path = home / ("_netrc" if os.name == "nt" else ".netrc")
    try:
        # Not .authenticators(): it falls back to the file's "default" entry.
        entry = netrc.netrc(str(path)).hosts.get(machine)
    except FileNotFoundError:
        return f"there is no ~/{path.name}"
    except netrc.NetrcParseError as error:
        return f"~/{path.name} can't be read (line {error.lineno})"
    except (OSError, UnicodeDecodeError):
        return f"~/{path.name} can't be read"
    if entry and entry[2]:
        return Token(entry[2], f"~/{path.name}")
    return f"~/{path.name} has no entry for {machine}"


def _from_cli(environ: Mapping[str, str], machine: str) -> Token | str:
    """The token that `heroku auth:token` prints, or the reason why it prints none."""
    del machine  # the CLI reads HEROKU_HOST itself
    program = shutil.which("heroku", path=environ.get("PATH"))
    if program is None:
        return "the heroku program is not installed"
    try:
        answer = subprocess.run(
            [program, "auth:token"],
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_CLI_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"`heroku auth:token` did not answer within {_CLI_SECONDS} s"
    except OSError:
        return "`heroku auth:token` could not be run"
    lines = answer.stdout.decode("utf-8", "replace").split("\n")
    printed = [line.strip() for line in lines if line.strip()]
    if answer.returncode or not printed:
        return "`heroku auth:token` knows none"
    return Token(printed[-1], "`heroku auth:token`")


def _checked(found: Token) -> Token:
    if not _TOKEN.fullmatch(found.value):
        raise HerokuError(
            f"The Heroku token from {found.origin} is not one: it holds blanks or "
            "characters that no token has.",
            "Copy it again, on one line and without quotes, from where it was made:"
            f" {AUTHORIZATIONS}.",
        )
    return found
