"""The pg_dump of a live source: which program, its command and its environment."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from dbpull.errors.live import INSTALL_TLS, LiveError
from dbpull.errors.postgres import MissingProgram
from dbpull.errors.sql_names import quoted
from dbpull.live.server import LiveServer
from dbpull.live.tables import SourceTable
from dbpull.postgres import programs
from dbpull.postgres.connection import Connection, is_here
from dbpull.postgres.patterns import Table
from dbpull.postgres.programs import Program
from dbpull.shell import Shell

_NO_TLS = {"disable", "allow", "prefer", ""}
"""The values of sslmode that a program without TLS takes."""
_PACKED = ("zstd:1", "lz4")
"""Compressions that a build of pg_dump may lack, the best one first."""
_NAMES = 500
"""Tables in a pattern: an argument has 128 KiB at most."""
_KEEPALIVE = "keepalives_idle=30 keepalives_interval=10 keepalives_count=3"
"""Where the network is gone, libpq would else wait for hours."""


@dataclass(frozen=True)
class Clients:
    """The client programs that may connect to a source, the best one first."""

    psql: Program
    pg_dumps: tuple[Program, ...]


def clients(shell: Shell, connection: Connection) -> Clients:
    """The programs that can connect, before anything is asked.

    Raises MissingProgram, and LiveError where TLS is asked for and none has it.
    """
    found = {name: programs.find(shell, name) for name in ("psql", "pg_dump")}
    for name, known in found.items():
        if not known:
            raise MissingProgram(name, shell.where)
    if _asks_for_tls(connection):
        found = {name: _with_tls(known) for name, known in found.items()}
        if not all(found.values()):
            raise LiveError(
                f"{connection.label} is to be reached by TLS, which the embedded"
                " PostgreSQL's programs lack.",
                f"Install {INSTALL_TLS}.",
            )
    best = [sorted(known, key=_preferred, reverse=True) for known in found.values()]
    return Clients(best[0][0], tuple(best[1]))


def pg_dump_for(
    found: Iterable[Program], server: LiveServer, connection: Connection
) -> Program:
    """The first pg_dump that may dump the server. Raises LiveError."""
    able = [program for program in found if program.major >= server.major]
    # What psql was sent encrypted, pg_dump must not be sent in clear.
    if server.is_encrypted and not is_here(connection.host):
        able = _with_tls(able)
    if able:
        return able[0]
    have = ", ".join(sorted({str(program.major) for program in found}))
    raise LiveError(
        f"{connection.label} is PostgreSQL {server.major}, which no pg_dump here that"
        f" can reach it dumps: {have} {'is' if ',' not in have else 'are'} here.",
        f"Install those of PostgreSQL {server.major} or newer: {INSTALL_TLS}; the"
        " packages of PostgreSQL's own repository are the newest.",
    )


def argv(
    program: Program,
    connection: Connection,
    without_rows: Collection[SourceTable] = (),
    compression: str = "",
) -> list[str]:
    """The command that prints a dump; the password is not in it."""
    names = [table.name for table in without_rows]
    left_out = [f"--exclude-table-data={pattern}" for pattern in _exactly(names)]
    dbname = connection.dbname.replace("\\", "\\\\").replace("'", "\\'")
    return [
        *(program.path, "--format=custom", "--no-owner", "--no-acl"),
        *("--quote-all-identifiers", "--no-password", "--lock-wait-timeout=30s"),
        f"--compress={compression or '1'}",  # of gzip, in each version's spelling
        *left_out,
        f"--dbname=dbname='{dbname}' {_KEEPALIVE}",
    ]


def in_parallel(argv: Sequence[str], connections: int, folder: str) -> list[str]:
    """The command that dumps into a folder instead, by several connections.

    Nothing is synced to the disk at its end: by then most files are gone again.
    """
    program, _custom, *others = argv
    ways = f"--jobs={connections}", "--verbose", "--no-sync", f"--file={folder}"
    return [program, "--format=directory", *ways, *others]


def compression(shell: Shell, pg_dump: Program, pg_restores: Iterable[Program]) -> str:
    """The best compression that pg_dump and the pg_restores have; "" for gzip."""
    found = list(pg_restores)
    both = (
        way
        for way in _PACKED
        if packs(shell, pg_dump, way) and unpack(shell, found, pg_dump, way)
    )
    return next(both, "")


def packs(shell: Shell, pg_dump: Program, way: str) -> bool:
    """Whether a pg_dump has a compression: zstd or lz4."""
    able = pg_dump.major >= 16 and not pg_dump.embedded
    return able and _has(shell, pg_dump.path, way)


def unpack(
    shell: Shell, pg_restores: Iterable[Program], pg_dump: Program, way: str
) -> bool:
    """Whether all pg_restores that may read a pg_dump's dump have a compression.

    A pg_restore has what the pg_dump of its folder has. Embedded programs, which have
    gzip alone, do not count where another pg_restore reads the dump.
    """
    readers = [p for p in pg_restores if p.major >= pg_dump.major and not p.embedded]
    beside = [str(Path(program.path).with_name("pg_dump")) for program in readers]
    return bool(beside) and all(_has(shell, path, way) for path in beside)


def _has(shell: Shell, path: str, way: str) -> bool:
    """Whether a build of pg_dump has a compression: judged before it connects."""
    env = {**shell.environ, "LC_ALL": "C"}
    try:
        tried = shell.run(
            [path, "-Fc", f"--compress={way}", "--host=/dev/null"], env=env
        )
    except OSError:
        return False
    return "connection to server" in tried.err


def _asks_for_tls(connection: Connection) -> bool:
    options = dict(connection.options)
    return (
        options.get("sslmode", "") not in _NO_TLS
        or options.get("channel_binding") == "require"
        or options.get("sslnegotiation") == "direct"
    )


def _with_tls(found: Iterable[Program]) -> list[Program]:
    return [program for program in found if not program.embedded]


def _preferred(program: Program) -> tuple[bool, int]:
    return not program.embedded, program.major


def _exactly(tables: Iterable[Table]) -> Iterator[str]:
    """The patterns of pg_dump that stand for these tables alone.

    pg_dump asks the server for each pattern, within its transaction: a pattern names
    many tables of a schema, for | between quoted names means or.
    """
    for schema, group in groupby(sorted(tables), key=itemgetter(0)):
        names = [quoted(name) for _, name in group]
        for start in range(0, len(names), _NAMES):
            yield f"{quoted(schema)}.{'|'.join(names[start : start + _NAMES])}"
