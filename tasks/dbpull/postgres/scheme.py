"""The scheme of a database URL: PostgreSQL's names in the various frameworks."""

from __future__ import annotations

import re

from dbpull.errors.postgres import BadUrl

TAKEN = (
    "postgres", "postgresql", "pgsql", "psql", "postgis", "timescale", "timescaledb",
    "timescalegis",
)  # fmt: skip
"""Accepted schemes; libpq gets the first. A driver may follow: postgresql+psycopg."""
# Errors repeat no other word: the text before // may be anything, even a password.
_OTHERS = {
    "cockroach", "cockroachdb", "db2", "file", "http", "https", "mariadb", "mongodb",
    "mssql", "mysql", "mysql2", "oracle", "prisma", "redis", "rediss", "redshift",
    "snowflake", "spatialite", "sqlite", "sqlite3", "sqlserver",
}  # fmt: skip


def without_driver(url: str, origin: str) -> str:
    """The URL with libpq's scheme. Raises BadUrl for another database's scheme."""
    if re.search(r"[\x00-\x1f\x7f]", url):
        raise BadUrl(origin, "it holds a line break or another control character")
    scheme, slashes, rest = url.removeprefix("jdbc:").partition("://")
    if slashes and scheme.partition("+")[0].lower() in TAKEN:
        return f"{TAKEN[0]}://{rest}"
    others = ", ".join(TAKEN[1:])
    raise BadUrl(
        origin,
        f"it does not start with postgres:// (or {others}; a driver may follow, as in"
        f" postgresql+psycopg://){_instead(url, scheme if slashes else '')}",
    )


def _instead(url: str, scheme: str) -> str:
    """The database or the mistake that a refused URL suggests, as half a sentence."""
    name = scheme.lower().partition("+")[0]
    if name in _OTHERS:
        return f"; {name}:// is not PostgreSQL"
    if url[:1] in {'"', "'", "`", "\N{LEFT DOUBLE QUOTATION MARK}"}:
        return "; the quotation mark before it does not belong to it"
    if re.match(r"\w+\s*=", url):
        return "; name=value pairs are not taken"
    return ""
