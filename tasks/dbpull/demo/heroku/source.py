"""The real PostgreSQL database behind a pretended database: its facts, its dump.

Connections are set by libpq's environment variables: no argv holds a password.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

# As Heroku dumps, by its help pages 7U1BTYHB; the output goes through a pipe.
DUMP = (
    "--format=custom",
    "--no-acl",
    "--no-owner",
    "--quote-all-identifiers",
    "--verbose",
    "--exclude-schema=heroku_ext",
)
# The parameters that a URL's query may set, by libpq's names.
PARAMETERS = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
}
FACTS = """select current_setting('server_version'),
       pg_database_size(current_database()),
       (select count(*) from pg_stat_user_tables),
       (select count(*) from pg_stat_activity where datname = current_database()),
       current_setting('max_connections')"""


@dataclass(frozen=True)
class Facts:
    """Facts that a database tells. `size` in bytes."""

    version: str
    size: int
    tables: int
    connections: int
    max_connections: int


def environment(url: str) -> dict[str, str]:
    """libpq's variables for a URL, percent-decoded. `PGPASSWORD` is a secret."""
    parts = urlsplit(url)
    found = {
        "PGHOST": unquote(parts.hostname or ""),
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.removeprefix("/")),
    }
    for key, value in parse_qsl(parts.query):
        if key in PARAMETERS:
            found[PARAMETERS[key]] = value
    return {name: value for name, value in found.items() if value}


def surroundings(url: str) -> dict[str, str]:
    """The whole environment of a client program, without other PG* variables."""
    others = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return others | environment(url) | {"PGAPPNAME": "Heroku Postgres Backups"}


def psql_beside(pg_dump: str) -> str:
    """The psql in pg_dump's folder, else the one on PATH."""
    beside = Path(shutil.which(pg_dump) or pg_dump).with_name("psql")
    return str(beside) if beside.exists() else "psql"


async def facts(url: str, psql: str) -> Facts | None:
    """The facts of a database; None where it does not answer."""
    try:
        process = await asyncio.create_subprocess_exec(
            psql,
            *("--no-psqlrc", "--no-password", "--tuples-only", "--no-align"),
            *("--field-separator=\t", "--command", FACTS),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=surroundings(url),
        )
    except OSError:
        return None
    output, _ = await process.communicate()
    if process.returncode != 0:
        return None
    version, *numbers = output.decode().strip().split("\t")
    return Facts(version, *(int(number) for number in numbers))


async def pg_dump(url: str, program: str) -> asyncio.subprocess.Process:
    """Start dumping: the archive comes on stdout, a pipe; the log on stderr."""
    return await asyncio.create_subprocess_exec(
        program,
        *DUMP,
        "--no-password",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=surroundings(url),
        limit=1 << 20,
    )
