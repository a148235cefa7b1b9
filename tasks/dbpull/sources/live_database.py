"""A running server as a source: `postgres://…`, dumped over the connection."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from dbpull.console import Reporter
from dbpull.download.arriving import PrintedDump
from dbpull.live import pg_dump, poolers, server, tables, url
from dbpull.live.dumping import dumping
from dbpull.live.server import LiveServer
from dbpull.live.tables import SourceTables
from dbpull.postgres import programs
from dbpull.postgres.connection import Connection
from dbpull.postgres.psql import Psql
from dbpull.shell.local import Local
from dbpull.sources.commands import expanded
from dbpull.sources.dumped import DumpsHere, Stored
from dbpull.sources.named import NamedSource
from dbpull.sources.source import (
    ByProgram,
    DatabaseIdentity,
    Progress,
    SourceBackup,
)
from dbpull.words import counted, listed, size


@dataclass(frozen=True)
class LiveDatabase:
    """A database of a running server, named by its URL; not asked yet."""

    source: NamedSource
    skip_data: tuple[str, ...]
    stored: Stored = field(compare=False, repr=False)
    shell: Local = field(default_factory=Local, compare=False)

    @property
    def name(self) -> str:
        """The source's name."""
        return self.source.label

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.source.name_of_dumps

    def refuse_unable(self, reporter: Reporter) -> None:
        """Refuse an unusable URL, and a lack of programs that can reach it.

        Raises BadUrl, MissingProgram, LiveError.
        """
        read = url.read(self.source.text, self.source.origin)
        pg_dump.clients(self.shell, read.connection)
        if read.dropped:
            names = listed(read.dropped)
            reporter.note(f"Left out of the URL, for libpq does not know it: {names}.")

    def open(self, reporter: Reporter) -> DatabaseToDump:
        """Ask the server all that could keep a dump from succeeding; reads only.

        Raises LiveError, CannotConnect, SqlFailed, and as `refuse_unable` does.
        """
        with self.connected() as connection:
            clients = pg_dump.clients(self.shell, connection)
            psql = Psql(self.shell, clients.psql.path, connection)
            psql = poolers.refuse_pooler(psql)
            facts = server.ask(psql)
            program = pg_dump.pg_dump_for(clients.pg_dumps, facts, connection)
            found = tables.look(psql, self.skip_data)
            found.refuse_unreadable(connection.label, facts.role, facts.major)
            found.refuse_filtered(connection.label, facts.role)
        readers = programs.find(self.shell, "pg_restore")
        compression = pg_dump.compression(self.shell, program, readers)
        argv = pg_dump.argv(program, connection, found.without_rows, compression)
        bare = replace(psql.connection, password="")  # it is asked for anew
        return DatabaseToDump(self, bare, psql.program, facts, found, tuple(argv))

    def backups(self, reporter: Reporter) -> list[SourceBackup]:
        """The dumps of the database that are here."""
        return self.stored(self.name_of_dumps)

    @contextmanager
    def connected(self, *, anew: bool = False) -> Iterator[Connection]:
        """A connection with a fresh password, through the source's tunnel.

        `anew` asks for the URL again, too, where a command has printed it.
        """
        text = self.source.text
        if anew and self.source.command:
            text = expanded(self.source.command)
        connection = url.read(text, self.source.origin).connection
        if self.source.password:
            password = expanded(self.source.password)
            connection = replace(connection, password=password)
        yield connection


@dataclass(frozen=True)
class DatabaseToDump:
    """A database of a running server that has been asked, and can be dumped."""

    source: LiveDatabase
    connection: Connection
    """The connection that has been asked, without the password."""
    psql: str
    """The path of the psql that can connect."""
    facts: LiveServer
    tables: SourceTables
    argv: tuple[str, ...]
    """The command of pg_dump."""
    keeps_backups = False
    takes_backups = True

    @property
    def label(self) -> str:
        """The database and its server, with the source's alias."""
        alias = self.source.source.alias
        return self.connection.label + (f" ({alias})" if alias else "")

    @property
    def about(self) -> str:
        """The database, who named it, and its server's version, for a plan."""
        named = f"{self.label} [{self.source.source.origin}]"
        return f"{named}, PostgreSQL {self.facts.version}"

    @property
    def version(self) -> str | None:
        """The server's version."""
        return self.facts.version

    @property
    def size(self) -> int | None:
        """The database's bytes."""
        return self.facts.size

    @property
    def server(self) -> Connection:
        """The database's address, by which a target is compared."""
        return self.connection

    @property
    def identity(self) -> DatabaseIdentity | None:
        """The database by its server's own number."""
        system = self.facts.system_identifier
        return DatabaseIdentity(system, self.facts.dbname) if system else None

    @property
    def capture_requests(self) -> Sequence[str]:
        """The command that prints the dump, for a plan."""
        return (f"{shlex.join(self.argv)}  ({self._reading})",)

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
        return DumpsHere(self.source.name_of_dumps, self.label, self.source.stored)

    @property
    def _reading(self) -> str:
        """What a dump means for the server, in words."""
        amount = f" of {size(self.size)}" if self.size else ""
        return (
            f"one transaction, as long as the transfer{amount} lasts; it can't be"
            " resumed: if interrupted, it starts over"
        )

    @contextmanager
    def _started(self, reporter: Reporter) -> Iterator[PrintedDump]:
        reporter.note(f"{self.label} is read in {self._reading}.")
        if left := self.tables.without_rows:
            names = listed([table.shown for table in left])
            reporter.note(f"Rows of {counted(len(left), 'table')} stay there: {names}.")
        with self.source.connected(anew=True) as connection:
            takes = self.connection.takes_options
            connection = replace(connection, takes_options=takes)
            psql = Psql(self.source.shell, self.psql, connection)
            with dumping(self.argv, self.facts, psql) as output:
                yield output
