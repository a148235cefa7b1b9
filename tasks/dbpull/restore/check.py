"""The check of a restored database: it holds the relations that the archive lists."""

from __future__ import annotations

from collections.abc import Collection

from dbpull.archive import Entry, unknown
from dbpull.errors.restore import Incomplete
from dbpull.postgres.psql import Psql
from dbpull.restore.selection import Selection

_RELATIONS = frozenset(
    {"TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "INDEX"}
)
_PRESENT = """
SELECT nspname, relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_toast';
"""


def refuse_incomplete(
    psql: Psql, dbname: str, selection: Selection, absent: Collection[Entry] = ()
) -> None:
    """Raise Incomplete where the database lacks a table, view, sequence or index.

    Entries in `absent` are known to be missing and may be.
    """
    present = _present(psql, dbname)
    missing = [
        f"{entry.desc} {entry.namespace}.{entry.tag}"
        for entry in _relations(selection)
        if (entry.namespace, entry.tag) not in present and entry not in absent
    ]
    if missing:
        raise Incomplete(missing)


def holds_some(psql: Psql, dbname: str, selection: Selection) -> bool:
    """Whether a database has any of the selection's tables, views and the like."""
    present = _present(psql, dbname)
    return any((e.namespace, e.tag) in present for e in _relations(selection))


def _relations(selection: Selection) -> list[Entry]:
    """The relations whose names can be looked up: their encoding is known."""
    found = (entry for entry in selection.entries if entry.desc in _RELATIONS)
    return [e for e in found if not unknown(e.tag) and not unknown(e.namespace)]


def _present(psql: Psql, dbname: str) -> set[tuple[str | None, str]]:
    rows = psql.run(_PRESENT, doing="Looking at what the database holds", dbname=dbname)
    return {(namespace, name) for namespace, name in rows}
