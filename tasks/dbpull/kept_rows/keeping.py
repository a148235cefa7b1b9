"""The rows that `keep_rows` names: looked for before a restore, brought after it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dbpull.errors.kept_rows import KeptRowsClash, NoTableToKeep
from dbpull.kept_rows import copying, merge
from dbpull.kept_rows.merge import Share
from dbpull.kept_rows.tables import KeptTable, chosen, look
from dbpull.postgres.psql import Psql


@dataclass(frozen=True)
class KeptRows:
    """The rows of a target's old database that are to come along."""

    psql: Psql
    conditions: Mapping[tuple[str, str], str]
    """The condition of each table, by its schema and name."""
    tables: Mapping[tuple[str, str], KeptTable]
    """The old database's tables."""
    missing: Sequence[str]
    """The names that are tables of the dump, but not of the old database."""

    @classmethod
    def of(
        cls, psql: Psql, conditions: Mapping[str, str], coming: Collection[str]
    ) -> KeptRows:
        """Look for the tables in the old database, and have it read the conditions.

        `coming`: the tables of the dump, with their schemas and without. Raises
        KeptRowsError, SqlFailed.
        """
        found = chosen(conditions, look(psql, psql.connection.dbname, conditions))
        by_key, texts = dict[tuple[str, str], KeptTable](), dict[tuple[str, str], str]()
        for name, table in found.items():
            if table:
                by_key[table.key], texts[table.key] = table, conditions[name]
                copying.check(psql, table, conditions[name])
            elif name not in coming:
                raise NoTableToKeep(name, coming)
        return cls(psql, texts, by_key, [n for n, table in found.items() if not table])

    def without(self, labels: Collection[str]) -> KeptRows:
        """These but for some tables, by their labels."""
        left = {k: one for k, one in self.tables.items() if one.label not in labels}
        return KeptRows(self.psql, self.conditions, left, self.missing)

    def bring(self, dbname: str) -> tuple[dict[str, int], list[str]]:
        """Bring the rows into a new database; return their numbers, by table.

        Second, the tables that the new database lacks. Raises KeptRowsClash, SqlFailed.
        """
        names = [f"{schema}.{name}" for schema, name in self.tables]
        there = {table.key: table for table in look(self.psql, dbname, names)}
        shares = [
            Share(old, there[key], self.conditions[key], number)
            for number, (key, old) in enumerate(self.tables.items())
            if key in there
        ]
        shares = [share for share in shares if share.columns]
        lacking = {share.new.key for share in shares}
        gone = [one.label for key, one in self.tables.items() if key not in lacking]
        return (self._bring(dbname, shares) if shares else {}), gone

    def _bring(self, dbname: str, shares: Sequence[Share]) -> dict[str, int]:
        doing = "Taking in the rows that are kept"
        self.psql.run(merge.staging(shares), doing=doing, dbname=dbname)
        copying.copy(self.psql, dbname, shares)
        tables = merge.tables(shares)
        [[answer, *broken]] = self.psql.run(
            merge.merge(shares), doing=doing, dbname=dbname, tables=tables
        )
        if broken:
            schema, table, constraint, column, code = json.loads(answer)
            label = table if schema == "public" else f"{schema}.{table}"
            what = constraint or f"the column {column}, which needs a value"
            raise KeptRowsClash(label, what, code)
        labels = [share.new.label for share in shares]
        return dict(zip(labels, json.loads(answer), strict=True))
