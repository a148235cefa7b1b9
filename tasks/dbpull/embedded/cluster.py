"""A server's cluster: its data folder, set up by initdb, of one major version."""

from __future__ import annotations

import secrets

from dbpull.embedded.account import Account
from dbpull.embedded.place import ServerFiles
from dbpull.embedded.programs import Programs
from dbpull.errors.embedded import (
    EmbeddedError,
    NotInitialized,
)

SUPERUSER = "postgres"
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
    place.password.unlink(missing_ok=True)
    place.password.touch(mode=0o600)
    place.password.write_text(secrets.token_urlsafe(24), encoding="ascii")
    account.give(place.password)
