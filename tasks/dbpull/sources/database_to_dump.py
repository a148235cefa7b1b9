"""A database whose server has been asked, and that a pg_dump can dump.

The pg_dump runs here or on a host: the source that has asked starts it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from dbpull.console import Reporter
from dbpull.download.arriving import PrintedDump, Scratch
from dbpull.live import poolers, server, tables
from dbpull.live.server import LiveServer
from dbpull.live.tables import SourceTables
from dbpull.postgres.connection import Connection
from dbpull.postgres.psql import Psql
from dbpull.sources.dumped import DumpsHere, Stored
from dbpull.sources.named import NamedSource, exactly
from dbpull.sources.source import (
    ByProgram,
    DatabaseIdentity,
    Progress,
    SourceBackup,
    Start,
)
from dbpull.words import counted, listed, size


def ask(psql: Psql, skip_data: Sequence[str]) -> tuple[Psql, LiveServer, SourceTables]:
    """Ask a server all that could keep a dump from succeeding; reads only.

    The psql that is returned connects as the server, or a pooler, takes it. Raises
    LiveError, CannotConnect, SqlFailed.
    """
    label = psql.connection.label
    psql = poolers.refuse_pooler(psql)
    facts = server.ask(psql)
    found = tables.look(psql, skip_data)
    found.refuse_unreadable(label, facts.role, facts.major)
    found.refuse_filtered(label, facts.role)
    return psql, facts, found


@dataclass(frozen=True)
class DatabaseToDump:
    """A database of a running server that has been asked, and can be dumped."""

    source: NamedSource
    connection: Connection
    """The connection that has been asked, without the password."""
    facts: LiveServer
    tables: SourceTables
    argv: tuple[str, ...]
    """The command of pg_dump."""
    server: Connection | None
    """The database's address, by which a target is compared; None for a host's."""
    start: Start = field(compare=False, repr=False)
    """Starts pg_dump; leaving the context ends it and all that it needs."""
    stored: Stored = field(compare=False, repr=False)
    connections: int = 1
    """The number of connections that dump tables.

    Where there are several, pg_dump opens another one that leads them.
    """
    keeps_backups = False
    takes_backups = True

    @property
    def label(self) -> str:
        """The database and its server, with the source's alias."""
        alias = self.source.alias
        return self.connection.label + (f" ({alias})" if alias else "")

    @property
    def about(self) -> str:
        """The database, who named it, and its server's version, for a plan."""
        return f"{self.label} [{self.source.origin}], PostgreSQL {self.facts.version}"

    @property
    def name_of_dumps(self) -> str:
        """The name of the source, and of the server where its URL led.

        The same URL may lead elsewhere later: by another tunnel, or a pooler's user.
        """
        there, facts = self.connection, self.facts
        server = facts.system_identifier or there.user
        return exactly(
            self.source.name_of_dumps,
            f"{there.host} {there.port} {facts.dbname} {server}",
        )

    @property
    def version(self) -> str | None:
        """The server's version."""
        return self.facts.version

    @property
    def size(self) -> int | None:
        """The database's bytes."""
        return self.facts.size

    @property
    def identity(self) -> DatabaseIdentity | None:
        """The database by its server's own number."""
        facts = self.facts
        if not facts.system_identifier:
            return None
        return DatabaseIdentity(facts.system_identifier, facts.dbname, facts.started)

    @property
    def capture_requests(self) -> Sequence[str]:
        """The command that prints the dump, for a plan."""
        there = self.connection.seen_from
        on = "" if there == "this machine" else f"on {there}: "
        return (f"{on}{shlex.join(self.argv)}  ({self._reading})",)

    def newest(self) -> SourceBackup:
        """The newest dump that is here. Raises NoBackup."""
        return self._here.newest()

    def named(self, backup: str) -> SourceBackup:
        """The dump here with an id. Raises NoSuchBackup."""
        return self._here.named(backup)

    def capture(self, wait: float, progress: Progress) -> SourceBackup:
        """A new dump: pg_dump starts as the dump is fetched."""
        way = ByProgram(self._started, self.capture_requests, self.size)
        return self._here.next(way, self.size)

    @property
    def _here(self) -> DumpsHere:
        return DumpsHere(self.name_of_dumps, self.label, self.stored)

    @property
    def _reading(self) -> str:
        """What a dump means for the server, in words."""
        amount = f" of {size(self.size)}" if self.size else ""
        by = f" of {self.connections} connections" if self.connections > 1 else ""
        return (
            f"one transaction{by}, as long as the transfer{amount} lasts; it can't be"
            " resumed: if interrupted, it starts over"
        )

    @contextmanager
    def _started(self, reporter: Reporter, scratch: Scratch) -> Iterator[PrintedDump]:
        reporter.note(f"{self.label} is read in {self._reading}.")
        if left := self.tables.without_rows:
            names = listed([table.shown for table in left])
            reporter.note(f"Rows of {counted(len(left), 'table')} stay there: {names}.")
        with self.start(reporter, scratch) as printed:
            yield printed
