"""The databases that may never be replaced: refused by name, before any query."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from dbpull.errors.postgres import SqlFailed
from dbpull.errors.target import (
    TargetError,
    TargetIsSource,
    TargetReserved,
)
from dbpull.naming import setting
from dbpull.postgres.connection import Connection, is_here
from dbpull.postgres.psql import Psql
from dbpull.target.names import SERVERS_OWN, is_ours

_USUAL_SOCKETS = {"", "/tmp", "/var/run/postgresql", "/run/postgresql"}  # noqa: S108


class Address(Protocol):
    """The address of a source database."""

    @property
    def host(self) -> str:
        """A host name, an IP address, or a socket's folder."""

    @property
    def port(self) -> int:
        """The server's port."""

    @property
    def dbname(self) -> str:
        """The database's name."""


class IdentifiedDatabase(Protocol):
    """A source database by its server's own number."""

    @property
    def system_identifier(self) -> str:
        """The number of pg_control_system()."""

    @property
    def dbname(self) -> str:
        """The database's name."""

    @property
    def started(self) -> str:
        """When the server was started; "" for a replica."""


_IDENTITY = """
SELECT system_identifier, extract(epoch FROM pg_postmaster_start_time())
FROM pg_control_system();
"""


def refuse_foreign(target: Connection, allowed_hosts: Collection[str]) -> None:
    """Raise TargetError or TargetReserved where a target may not be replaced."""
    if target.dbname in SERVERS_OWN:
        raise TargetReserved(target.dbname, "it is one of the server's own databases")
    if is_ours(target.dbname):
        raise TargetReserved(target.dbname, "dbpull itself keeps it")
    if not is_here(target.host) and target.host not in allowed_hosts:
        raise TargetError(
            f"{target.label} is on another machine, and such databases are not"
            " replaced.",
            f"If it really may be replaced, add {target.host} to"
            f" {setting('allowed_hosts')} in invoke.yaml.",
        )


def refuse_source(target: Connection, source: Address | None, app: str) -> None:
    """Raise TargetIsSource where target and source are the same database."""
    if source and _normalized(target) == _normalized(source):
        raise TargetIsSource(target.label, app)


def refuse_identical(
    target: Psql, source: IdentifiedDatabase | None, label: str
) -> None:
    """Raise TargetIsSource where both are one database, as their servers tell.

    The server knows itself through a tunnel, too. A role that may not ask is let pass.
    """
    dbname = target.connection.dbname
    if not source or source.dbname != dbname:
        return
    try:
        [[number, started]] = target.run(_IDENTITY, doing="Asking for the server")
    except SqlFailed:
        return
    # The files of a server may have been copied: their servers start separately.
    if source.system_identifier == number and source.started in {"", started}:
        raise TargetIsSource(target.connection.label, label)


def _normalized(address: Address) -> tuple[str, int, str]:
    """An address in one spelling, so that two of the same database compare equal."""
    host = address.host.rstrip("/")
    is_folder = host.startswith("/")
    if host in _USUAL_SOCKETS or (not is_folder and is_here(host)):
        host = ""
    return (host if is_folder else host.lower(), address.port, address.dbname)
