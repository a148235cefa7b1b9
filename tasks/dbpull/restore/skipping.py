"""Tables whose rows are not wanted, by the patterns of `skip_data`.

A pattern means a table of that name in any schema, or `schema.table`. A partitioned
table has no rows of its own: its partitions are meant. Tables that inherit from one
have rows of their own, which stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cached_property

from dbpull.archive import Archive, Entry

_NAME = r'("(?:[^"]|"")+"|[^\s".;]+)'
# An entry of its own since pg_dump 14, before that part of the partition's.
_ATTACHED = re.compile(
    rf"ALTER TABLE ONLY {_NAME}\.{_NAME} ATTACH PARTITION {_NAME}\.{_NAME} "
)
Table = tuple[str, str]
"""Its schema and its name."""


@dataclass(frozen=True)
class Skipping:
    """What of an archive's rows some patterns mean."""

    archive: Archive
    patterns: Sequence[str]

    def means(self, rows: Entry) -> bool:
        """Whether those rows are not wanted."""
        return any(_fits(one, self.patterns) for one in self._with_parents(_of(rows)))

    @cached_property
    def unmatched(self) -> tuple[str, ...]:
        """Patterns that fit no table at all."""
        return tuple(
            pattern
            for pattern in self.patterns
            if not any(_fits(table, [pattern]) for table in self._tables)
        )

    def near(self, pattern: str) -> str:
        """The table that was probably meant; "" where none is alike."""
        schema, _, table = pattern.replace('"', "").rpartition(".")
        near = get_close_matches(schema, {schema for schema, _ in self._tables}, n=1)
        schema = near[0] if near else schema
        if any(_fits(one, [f"{schema}.{table}"]) for one in self._tables):
            return f"{schema}.{table}"
        in_it_last = sorted(self._tables, key=lambda one: one[0] == schema)
        names = {name.lower(): (there, name) for there, name in in_it_last}
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
            [_unquoted(one) for one in found.groups()]
            for text in texts
            for found in _ATTACHED.finditer(text)
        )
        return {(there, part): (schema, name) for schema, name, there, part in names}


def _of(entry: Entry) -> Table:
    return entry.namespace or "", entry.tag


def _fits(table: Table, patterns: Sequence[str]) -> bool:
    schema, name = table
    return any(
        fnmatchcase(f"{schema}.{name}" if "." in pattern else name, pattern)
        for pattern in patterns
    )


def _unquoted(identifier: str) -> str:
    if identifier.startswith('"'):
        return identifier[1:-1].replace('""', '"')
    return identifier
