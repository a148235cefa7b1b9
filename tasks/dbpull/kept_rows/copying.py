"""The way of kept rows from the old database into the new one's staging tables."""

from __future__ import annotations

from collections.abc import Sequence

from dbpull.errors.sql_names import quoted
from dbpull.kept_rows.merge import QUIET, Share
from dbpull.kept_rows.tables import KeptTable
from dbpull.postgres.psql import UNLIMITED, Psql

# One text for both: a database may have settings of its own.
_ALIKE = f"""{QUIET}SET DateStyle = ISO;
SET IntervalStyle = postgres;
SET extra_float_digits = 1;
"""
# Without the right to read all rows, some would be left out silently.
_SNAPSHOT = (
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\nSET row_security = off;\n"
)


def check(psql: Psql, table: KeptTable, condition: str) -> None:
    """Have a server read a condition, without any row. Raises SqlFailed."""
    sql = f"{QUIET}{_SNAPSHOT}{_search(table)}{_query(table, '', condition)} LIMIT 0;"
    doing = f"Reading the condition of {table.label} in keep_rows"
    psql.run(sql, doing=doing, dbname=psql.connection.dbname)


def copy(psql: Psql, dbname: str, shares: Sequence[Share]) -> None:
    """Copy the rows of all tables, in one snapshot. Raises SqlFailed."""
    parts = [_ALIKE, _SNAPSHOT, _echoed(UNLIMITED + _ALIKE)]
    parts += [_part(share) for share in shares]
    doing = "Copying the rows that are kept"
    old = psql.connection.dbname
    psql.run_through("".join(parts), doing=doing, dbname=old, into=dbname)


def _part(share: Share) -> str:
    """The SQL that prints a table's rows as SQL for the new database."""
    query = _query(share.old, share.listed, share.condition)
    return (
        _search(share.old)
        + _echoed(f"COPY {share.staging} ({share.listed}) FROM STDIN;")
        + f"COPY ({query}) TO STDOUT;\n"
        + _echoed("\\.")
    )


def _search(table: KeptTable) -> str:
    """The SQL that lets a condition name the tables beside its own."""
    return f"SET search_path = {quoted(table.schema)}, public;\n"


def _query(table: KeptTable, columns: str, condition: str) -> str:
    """The query for a table's kept rows."""
    # The condition has lines of its own: it may end in a comment.
    return f"SELECT {columns} FROM {table.rows} WHERE (\n{condition}\n)"  # noqa: S608


def _echoed(script: str) -> str:
    """The commands of psql that print a script."""
    lines = (
        line.replace("\\", "\\\\").replace("'", "''") for line in script.splitlines()
    )
    return "".join(f"\\echo '{line}'\n" for line in lines)
