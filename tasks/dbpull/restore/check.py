"""The check of a restored database: it holds the relations that the archive lists."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from dbpull.archive import Entry, unknown
from dbpull.errors.restore import Incomplete
from dbpull.postgres.psql import Psql
from dbpull.restore.selection import Selection
from dbpull.restore.statistics import ALL_BUT, STATEMENTS

_RELATIONS = frozenset(
    {"TABLE", "FOREIGN TABLE", "VIEW", "MATERIALIZED VIEW", "SEQUENCE", "INDEX"}
)
_LOOK = f"""
SELECT json_build_object(
  'relations', (
    SELECT coalesce(json_agg(json_build_array(nspname, relname)), '[]')
    FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname NOT IN ('pg_catalog', 'information_schema')
      AND nspname !~ '^pg_toast'),
  'statements', (
    SELECT coalesce(json_agg(json_build_array(schema, name, statement)), '[]')
    FROM ({STATEMENTS}) every));
"""  # noqa: S608 - of constants


@dataclass(frozen=True)
class Restored:
    """The relations of a database, before or after a restore."""

    relations: Collection[tuple[str, str]]
    """Each table's, view's, sequence's and index's schema and name."""
    _statements: Mapping[tuple[str, str], str]
    """The statement that analyzes each table, by schema and name."""

    def statements(self, but: Collection[tuple[str, str]] = ()) -> list[str]:
        """The statements that analyze the database, but for some tables."""
        return [text for table, text in self._statements.items() if table not in but]

    def refuse_incomplete(
        self, selection: Selection, absent: Collection[Entry] = ()
    ) -> None:
        """Raise Incomplete where the database lacks a table, view, sequence or index.

        Entries in `absent` are known to be missing and may be.
        """
        missing = [
            f"{entry.desc} {entry.namespace}.{entry.tag}"
            for entry in _relations(selection)
            if (entry.namespace, entry.tag) not in self.relations
            and entry not in absent
        ]
        if missing:
            raise Incomplete(missing)

    def holds_some(self, selection: Selection) -> bool:
        """Whether the database has any of the selection's tables and the like."""
        relations = self.relations
        return any((e.namespace, e.tag) in relations for e in _relations(selection))


def look(psql: Psql, dbname: str) -> Restored:
    """Query a database for its objects. Raises CannotConnect, SqlFailed."""
    doing = "Querying the database's tables"
    return _restored(psql.run(_LOOK, doing=doing, dbname=dbname))


def look_and_analyze(
    psql: Psql, dbname: str, but: Collection[tuple[str, str]]
) -> Restored:
    """Query a database for its objects, and analyze its tables, but for some.

    All in one session. Raises CannotConnect, SqlFailed.
    """
    sql, known = _LOOK + ALL_BUT, json.dumps([*but])
    rows = psql.run(sql, doing="ANALYZE", dbname=dbname, analyzed=known)
    return _restored(rows)


def _restored(rows: list[list[str]]) -> Restored:
    answer = json.loads(rows[0][0])
    relations = {(schema, name) for schema, name in answer["relations"]}
    statements = {(schema, name): text for schema, name, text in answer["statements"]}
    return Restored(relations, statements)


def _relations(selection: Selection) -> list[Entry]:
    """The relations whose names can be looked up: their encoding is known."""
    found = (entry for entry in selection.entries if entry.desc in _RELATIONS)
    return [e for e in found if not unknown(e.tag) and not unknown(e.namespace)]
