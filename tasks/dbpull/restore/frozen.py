"""Rows that are stored as frozen: nothing rewrites their pages afterwards.

The first reader of a page that COPY has filled, which is the build of an index, marks
its rows as committed. The page is then written once more, and with data checksums (the
default from 18 on) all of it may go into the WAL, too. A COPY that freezes has done so
itself. PostgreSQL allows that for a table that is created or truncated in the same
transaction, and then leaves the WAL out where wal_level is minimal.

Source: CopyFrom in src/backend/commands/copyfrom.c; dumpTableData in
src/bin/pg_dump/pg_dump.c for the dump's statement.
"""

from __future__ import annotations

import re

from dbpull.archive import IDENTIFIER, Entry, unquoted

_TABLE = rf"(?P<schema>{IDENTIFIER})\.(?P<table>{IDENTIFIER})"
_COPY = re.compile(rf"(?P<copy>COPY {_TABLE} .*FROM stdin);\s*", re.S)


def frozen_copy(rows: Entry, table: Entry | None) -> str | None:
    """The statements that store rows as frozen; None where they can't be.

    `table` is the table's own entry, None where it is not restored: an extension's may
    have rows that no truncation may remove.
    """
    found = _COPY.fullmatch(rows.copy)
    if not found or not table or "\nPARTITION BY " in table.definition:
        return None
    # The rows of a partition may be copied into the table above it.
    named = unquoted(found["schema"]), unquoted(found["table"])
    if named != (rows.namespace, rows.tag) or table.access_method not in {"", "heap"}:
        return None
    name = f"{found['schema']}.{found['table']}"
    return f"TRUNCATE TABLE ONLY {name};\n{found['copy']} WITH (FREEZE);\n"
