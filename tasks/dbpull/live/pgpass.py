"""The password of a connection in the user's ~/.pgpass.

libpq reads that file by itself, but looks for the port that it connects to, which is a
tunnel's where there is one. Source: PostgreSQL's documentation, 34.16.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dbpull.postgres.connection import Connection

_FIELD = re.compile(r"((?:\\.|[^:\\])*)(?::|$)")


def password(connection: Connection, environ: Mapping[str, str]) -> str:
    """The password for a connection; "" where the file has none, or others may read it.

    `environ` tells where the file is.
    """
    written = dict(connection.options).get("passfile") or environ.get("PGPASSFILE")
    path = Path(written or Path(environ.get("HOME", "/")) / ".pgpass")
    host = connection.host.partition(",")[0]
    place = ["localhost" if connection.is_socket else host, str(connection.port)]
    wanted = [*place, connection.dbname, connection.user]
    with suppress(OSError, UnicodeDecodeError):
        if path.stat().st_mode & 0o077 == 0:
            for line in path.read_text(encoding="utf-8").splitlines():
                *given, found = _fields(line)
                if len(given) == len(wanted) and _fits(given, wanted):
                    return found
    return ""


def _fields(line: str) -> list[str]:
    """The fields of a line; a comment has too few."""
    fields = _FIELD.findall("" if line.startswith("#") else line)[:5]
    return [re.sub(r"\\(.)", r"\1", field) for field in fields]


def _fits(given: list[str], wanted: list[str]) -> bool:
    return all(one in {"*", other} for one, other in zip(given, wanted, strict=True))
