"""A running server as a source: `postgres://…`, dumped over the connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from dbpull.console import Reporter
from dbpull.download.arriving import PrintedDump, Scratch
from dbpull.errors.live import told_of_source
from dbpull.live import pg_dump, pgpass, url
from dbpull.live.dumping import dumping
from dbpull.live.parallel import MOST, Connections, dumping_in_parallel
from dbpull.live.server import LiveServer
from dbpull.live.tunnel import tunnel
from dbpull.postgres import programs
from dbpull.postgres.connection import Connection, is_here
from dbpull.postgres.psql import Psql
from dbpull.shell.local import Local
from dbpull.sources.commands import expanded
from dbpull.sources.database_to_dump import DatabaseToDump, ask
from dbpull.sources.dumped import Stored
from dbpull.sources.named import NamedSource
from dbpull.sources.source import SourceBackup
from dbpull.words import listed


@dataclass(frozen=True)
class LiveDatabase:
    """A database of a running server, named by its URL; not asked yet."""

    source: NamedSource
    skip_data: tuple[str, ...]
    stored: Stored = field(compare=False, repr=False)
    wanted: int = field(default=1, compare=False)
    """How many connections a dump may have, if the server has them."""
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
        with told_of_source(), self.connected() as connection:
            clients = pg_dump.clients(self.shell, connection)
            psql = Psql(self.shell, clients.psql.path, connection)
            psql, facts, found = ask(psql, self.skip_data)
            program = pg_dump.pg_dump_for(clients.pg_dumps, facts, connection)
        readers = programs.find(self.shell, "pg_restore")
        compression = pg_dump.compression(self.shell, program, readers)
        argv = pg_dump.argv(program, connection, found.without_rows, compression)
        bare = replace(psql.connection, password="")  # it is asked for anew
        connections = Connections(self._connections(connection, facts))
        shown = argv
        if connections.count > 1:
            shown = pg_dump.in_parallel(argv, connections.count, "FOLDER")
        asked = replace(psql, connection=bare)
        return DatabaseToDump(
            self.source,
            bare,
            facts,
            found,
            tuple(shown),
            server=bare,
            start=lambda _, to: self._dumping(argv, facts, asked, to, connections),
            stored=self.stored,
            connections=connections.count,
        )

    def _connections(self, connection: Connection, facts: LiveServer) -> int:
        """How many connections a dump has: one of a server on this machine.

        There, several would begin no table's restore before the whole table has come.
        """
        forwarded = self.source.tunnel or facts.port not in {0, connection.port}
        if is_here(connection.host) and not forwarded:
            return 1
        return facts.connections(min(self.wanted, MOST))

    @contextmanager
    def _dumping(
        self,
        argv: Sequence[str],
        facts: LiveServer,
        asked: Psql,
        scratch: Scratch,
        by: Connections,
    ) -> Iterator[PrintedDump]:
        with self.connected(anew=True) as connection:
            takes = asked.connection.takes_options
            connection = replace(connection, takes_options=takes)
            psql = replace(asked, connection=connection)
            if by.count > 1:
                folder = str(scratch.folder)
                argv = pg_dump.in_parallel(argv, by.count, folder)
                with dumping_in_parallel(argv, facts, psql, scratch, by) as dump:
                    yield dump
            else:
                with dumping(argv, facts, psql) as output:
                    yield output

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
            text = self.source.printed_anew(expanded(self.source.command))
        connection = url.read(text, self.source.origin).connection
        if self.source.password:
            password = expanded(self.source.password)
            connection = replace(connection, password=password)
        if not self.source.tunnel:
            yield connection
            return
        if not connection.password:
            found = pgpass.password(connection, self.shell.environ)
            connection = replace(connection, password=found)
        with tunnel(self.source.tunnel) as port:
            yield url.through_tunnel(connection, port)
