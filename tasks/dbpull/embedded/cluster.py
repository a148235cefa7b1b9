"""A server's cluster: its data folder, set up by initdb, of one major version."""

from __future__ import annotations

import secrets
from pathlib import Path

from dbpull.embedded.account import Account
from dbpull.embedded.place import ServerFiles
from dbpull.embedded.programs import Programs
from dbpull.errors.embedded import (
    EmbeddedError,
    NotInitialized,
    NotStarted,
)

SUPERUSER = "postgres"
_RULES = """\
local all all              trust
host  all all 127.0.0.1/32 scram-sha-256
"""
"""The server's pg_hba.conf: the socket is in a folder of ours."""
LOCALES = ("C.UTF-8", "C")
"""Tried in this order: macOS has only the second."""


def set_up(
    place: ServerFiles, programs: Programs, account: Account, *, fast: bool, tcp: bool
) -> None:
    """Run initdb beside the data folder, so that a half-made cluster is never used.

    `fast` doesn't wait for the disk. With `tcp` the superuser gets a password.
    Raises NotInitialized.
    """
    account.new_folder(place.half_made)
    if tcp:
        _choose_password(place, account)
    for locale in LOCALES:
        made = account.run(_initdb(place, programs, locale, fast=fast, tcp=tcp))
        if "invalid locale name" not in made.stderr:
            break
    if made.returncode != 0:
        raise NotInitialized(place.half_made, made.stderr.splitlines())
    place.half_made.rename(place.data)


def refuse_other_version(place: ServerFiles, programs: Programs) -> None:
    """Raise EmbeddedError unless these programs can serve the data."""
    found = (place.data / "PG_VERSION").read_text(encoding="ascii").strip()
    if found != programs.major:
        raise EmbeddedError(
            f"The embedded server's data in {place.folder} is PostgreSQL {found}'s,"
            f" and the programs here are PostgreSQL {programs.major}'s.",
            f"Remove {place.folder} and pull again, or install PostgreSQL {found}"
            " again.",
        )


def let_in(place: ServerFiles, programs: Programs, account: Account) -> None:
    """Have a server of these files let in by TCP who knows its password.

    The password is made once, and set by PostgreSQL's single-user mode: the server must
    not run. Raises EmbeddedError.
    """
    place.rules.write_text(_RULES, encoding="ascii")
    place.rules.chmod(0o644)  # the account reads them
    if place.password.exists():
        return
    password = secrets.token_urlsafe(24)
    single = [programs.path("postgres"), "--single", "-D", str(place.data)]
    single += ["-cpassword_encryption=scram-sha-256", SUPERUSER]
    said = account.run(single, f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n").stderr
    if "ERROR:" in said or "FATAL:" in said:
        lines = said.replace(password, "…").splitlines()
        raise NotStarted(lines, "could not be given a password")
    _write_private(place.password, password)


def _initdb(
    place: ServerFiles, programs: Programs, locale: str, *, fast: bool, tcp: bool
) -> list[str]:
    return [
        programs.path("initdb"),
        f"--pgdata={place.half_made}",
        f"--username={SUPERUSER}",
        "--encoding=UTF8",
        f"--locale={locale}",
        "--auth-local=trust",
        f"--auth-host={'scram-sha-256' if tcp else 'reject'}",
        *([f"--pwfile={place.password}"] if tcp else []),
        *(["--no-sync"] if fast else []),
        "--no-instructions",
    ]


def _choose_password(place: ServerFiles, account: Account) -> None:
    _write_private(place.password, secrets.token_urlsafe(24))
    account.give(place.password)


def _write_private(path: Path, text: str) -> None:
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="ascii")
