"""The tables whose rows are skipped, by the patterns of `skip_data`.

A pattern is a table's name in any schema, or `schema.table`. A partitioned table has no
rows of its own: the pattern stands for its partitions. Tables that inherit from a table
have rows of their own, which stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from dbpull.archive import IDENTIFIER, Archive, Entry, unquoted
from dbpull.postgres.patterns import Table, fits

_NAME = f"({IDENTIFIER})"
# ATTACH PARTITION is an entry since pg_dump 14; before, it ends the partition's entry.
_ATTACHED = re.compile(
    rf"ALTER TABLE ONLY {_NAME}\.{_NAME} ATTACH PARTITION {_NAME}\.{_NAME} "
)


@dataclass(frozen=True)
class Skipping:
    """Which rows of an archive the patterns skip."""

    archive: Archive
    patterns: Sequence[str]

    def means(self, rows: Entry) -> bool:
        """Whether a pattern skips these rows."""
        tables = self._with_parents(_of(rows))
        return any(fits(table, self.patterns) for table in tables)

    @property
    def unmatched(self) -> dict[str, str]:
        """The patterns that match no table, each with the table probably meant."""
        return {
            pattern: self._near(pattern)
            for pattern in self.patterns
            if not any(fits(table, [pattern]) for table in self._tables)
        }

    def _near(self, pattern: str) -> str:
        """The table that a pattern probably meant; "" where none has a similar name."""
        schema, _, table = pattern.replace('"', "").rpartition(".")
        near = get_close_matches(schema, {schema for schema, _ in self._tables}, n=1)
        schema = near[0] if near else schema
        if any(fits(known, [f"{schema}.{table}"]) for known in self._tables):
            return f"{schema}.{table}"
        # In a dict the last one of a name stays: that of the pattern's schema.
        own_last = sorted(self._tables, key=lambda known: known[0] == schema)
        names = {name.lower(): (owner, name) for owner, name in own_last}
        found = get_close_matches(table.lower(), names, n=1)
        return ".".join(names[found[0]][0 if schema else 1 :]) if found else ""

    def _with_parents(self, table: Table) -> list[Table]:
        found = [table]
        while (parent := self._parents.get(found[-1])) and parent not in found:
            found.append(parent)
        return found

    @cached_property
    def _tables(self) -> list[Table]:
        kinds = {"TABLE", "TABLE DATA"}
        return [_of(entry) for entry in self.archive.entries if entry.desc in kinds]

    @cached_property
    def _parents(self) -> Mapping[Table, Table]:
        """The partitioned table of each partition."""
        kinds = {"TABLE", "TABLE ATTACH"}
        texts = (e.definition for e in self.archive.entries if e.desc in kinds)
        names = (
            [unquoted(name) for name in found.groups()]
            for text in texts
            for found in _ATTACHED.finditer(text)
        )
        return {(own, part): (schema, name) for schema, name, own, part in names}


def _of(entry: Entry) -> Table:
    return entry.namespace or "", entry.tag
