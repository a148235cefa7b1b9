"""Which databases may be replaced at all: judged before anything is asked of them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from dbpull.errors.target import TargetIsSource, TargetNotAllowed, TargetReserved
from dbpull.postgres.connection import Connection, is_here
from dbpull.target.names import SERVERS_OWN, is_ours

_USUAL_SOCKETS = {"", "/tmp", "/var/run/postgresql", "/run/postgresql"}  # noqa: S108


class Address(Protocol):
    """Where a source database is."""

    @property
    def host(self) -> str:
        """A name, an address, or a socket's folder."""

    @property
    def port(self) -> int:
        """The server's port."""

    @property
    def dbname(self) -> str:
        """The database."""


def refuse_foreign(target: Connection, allowed_hosts: Collection[str]) -> None:
    """Raise TargetNotAllowed or TargetReserved where a target must stay as it is."""
    if target.dbname in SERVERS_OWN:
        raise TargetReserved(target.dbname, "it is one of the server's own databases")
    if is_ours(target.dbname):
        raise TargetReserved(target.dbname, "dbpull itself keeps it")
    if not is_here(target.host) and target.host not in allowed_hosts:
        raise TargetNotAllowed(target.label, target.host)


def refuse_source(target: Connection, source: Address | None, app: str) -> None:
    """Raise TargetIsSource where target and source are one database."""
    if source and _place(target) == _place(source):
        raise TargetIsSource(target.label, app)


def _place(of: Address) -> tuple[str, int, str]:
    """A place such that one database has one only, as far as names can tell."""
    host = of.host.rstrip("/")
    is_folder = host.startswith("/")
    if host in _USUAL_SOCKETS or (not is_folder and is_here(host)):
        host = ""
    return (host if is_folder else host.lower(), of.port, of.dbname)
