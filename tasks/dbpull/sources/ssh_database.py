"""A database that is dumped on a host: pg_dump runs there, its output comes here.

`ssh://[user@]host[:port]/dbname`, with ~/.ssh/config read as for ssh. The host's user
is the database's, by peer authentication or ~/.pgpass there, unless the URL's query
says otherwise: `?host=localhost&user=reader`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import unquote

from dbpull.console import Reporter
from dbpull.download.arriving import PrintedDump
from dbpull.errors.live import LiveError, told_of_source
from dbpull.errors.sources import NoSource
from dbpull.hosts.connect import connect
from dbpull.hosts.connection import connection_to
from dbpull.hosts.host import Host
from dbpull.hosts.output import printed_on
from dbpull.live import pg_dump, url
from dbpull.live.dumping import dumping
from dbpull.live.server import LiveServer
from dbpull.postgres import programs
from dbpull.postgres.connection import Connection
from dbpull.postgres.programs import Program
from dbpull.postgres.psql import Psql
from dbpull.settings import Settings
from dbpull.shell.local import Local
from dbpull.sources.database_to_dump import DatabaseToDump, ask
from dbpull.sources.dumped import Stored
from dbpull.sources.named import NamedSource
from dbpull.sources.source import SourceBackup

_FORM = re.compile(
    r"ssh://(?:(?P<user>[^@/?#:]+)@)?(?P<host>\[[0-9a-fA-F:.%]+\]|[^@/?#:\[\]]+)"
    r"(?::(?P<port>[0-9]{1,5}))?/(?P<database>[^/?#]+(?:\?[^#]*)?)"
)
_PACKED, _GZIPPED = "zstd:3", "6"
"""Stronger than for a dump that is packed here: the link is what takes time."""


@dataclass(frozen=True)
class SshSource:
    """A host and a database on it; nothing has been asked yet."""

    named: NamedSource
    skip_data: tuple[str, ...]
    for_hosts: bool
    """Whether hosts, whose programs are not known yet, restore the dump."""
    stored: Stored = field(compare=False, repr=False)

    @property
    def name(self) -> str:
        """The source's name."""
        return self.named.label

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.named.name_of_dumps

    def refuse_unable(self, reporter: Reporter) -> None:
        """Raise NoSource for a malformed URL."""
        self._place()

    def open(self, reporter: Reporter) -> DatabaseToDump:
        """Ask the server, by psql on the host.

        Raises RemoteError, LiveError, CannotConnect, SqlFailed.
        """
        with told_of_source(), self._reached(reporter) as host:
            connection = url.read(
                self._database_url, self.named.origin, host
            ).connection
            psql = Psql(host, _newest(host, "psql", connection).path, connection)
            psql, facts, found = ask(psql, self.skip_data)
            program = _newest(host, "pg_dump", connection, facts.major)
            packed = _compression(host, program, for_hosts=self.for_hosts)
        argv = pg_dump.argv(program, connection, found.without_rows, packed)
        return DatabaseToDump(
            self.named,
            psql.connection,
            facts,
            found,
            tuple(argv),
            server=None,
            start=lambda reporter, _: self._dumping(argv, facts, psql, reporter),
            stored=self.stored,
        )

    @contextmanager
    def _dumping(
        self, argv: Sequence[str], facts: LiveServer, asked: Psql, reporter: Reporter
    ) -> Iterator[PrintedDump]:
        """Run pg_dump on the host; nothing of the dump is stored there."""
        with self._reached(reporter) as host:
            psql = replace(asked, shell=host)
            with dumping(argv, facts, psql, partial(printed_on, host)) as output:
                yield output

    def backups(self, reporter: Reporter) -> list[SourceBackup]:
        """The dumps of the database that are here."""
        return self.stored(self.name_of_dumps)

    @contextmanager
    def _reached(self, reporter: Reporter) -> Iterator[Host]:
        """The host, while connected. Raises RemoteError."""
        place = self._place()
        user, port = place["user"], place["port"]
        connection = connection_to(
            place["host"].strip("[]"),
            unquote(user) if user else None,
            int(port) if port else None,
        )
        with connect(connection, reporter.note) as host:
            yield host

    @property
    def _database_url(self) -> str:
        """The database as a URL that is read on the host."""
        return f"postgres:///{self._place()['database']}"

    def _place(self) -> re.Match[str]:
        if found := _FORM.fullmatch(self.named.text):
            return found
        raise NoSource(
            f"{self.named.origin} is not a usable ssh:// URL.",
            "Write it as ssh://user@host:port/dbname: user and port may come from"
            " ~/.ssh/config, and keys and passphrases from there or an agent.",
        )


def ssh_source(named: NamedSource, settings: Settings, stored: Stored) -> SshSource:
    """The source that the settings name, without a connection."""
    return SshSource(named, settings.skip_data, settings.local is not None, stored)


def _newest(host: Host, name: str, connection: Connection, major: int = 0) -> Program:
    """The host's newest program of a name. Raises LiveError below a major."""
    found = programs.newest(host, name)
    if found and found.major >= major:
        return found
    what = f"{name} was not found on {host.where}."
    if found:
        what = (
            f"{connection.label} is PostgreSQL {major}, and the newest {name} there is"
            f" {found.major}, which can't read it."
        )
    raise LiveError(
        what,
        "Install PostgreSQL's client programs there (Debian, Ubuntu: apt install"
        " postgresql-client). Where the server is in a container, let the source be a"
        f" command: `| ssh {host.where} docker exec -i CONTAINER pg_dump -U postgres"
        f" -Fc {shlex.quote(connection.dbname)}`.",
    )


def _compression(host: Host, program: Program, *, for_hosts: bool) -> str:
    """The compression that the pg_dump there and each pg_restore here have."""
    if for_hosts or not pg_dump.packs(host, program, _PACKED):
        return _GZIPPED
    here = programs.find(Local(), "pg_restore")
    return _PACKED if pg_dump.unpack(Local(), here, program, _PACKED) else _GZIPPED
