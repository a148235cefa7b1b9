"""The dependencies between a dump's entries, from which the engine plans a restore.

The sections keep their order, with two exceptions: keys and indexes need only their own
table's rows, foreign keys need the rows of both their tables. Source:
fix_dependencies and identify_locking_dependencies in
src/bin/pg_dump/pg_backup_archiver.c, for the dependencies that `pg_restore -j` uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from dbpull.archive import Archive, Entry, unknown
from dbpull.restore.functions import checked
from dbpull.restore.order import Part, parts
from dbpull.restore.selection import Selection

# A key or an index that depends on these kinds alone can be built before other tables'
# rows are in. A function of the app's may read those rows, whatever it was declared.
_HARMLESS = frozenset(
    {"TABLE", "SCHEMA", "EXTENSION", "TYPE", "DOMAIN", "COLLATION", "ACCESS METHOD"}
)

# The functions of an exclusion constraint's expressions are no dependency in a dump.
_CALLING = re.compile(r"\bEXCLUDE [^(]*\([^(]*\(")

_FOR_STATISTICS = frozenset({"CONSTRAINT", "INDEX", "STATISTICS", "TABLE ATTACH"})
"""What ANALYZE of a table takes into account, or has to wait for."""


@dataclass(frozen=True)
class Dependencies:
    """The entries to restore, grouped by when each may start."""

    archive: Archive
    selection: Selection

    @cached_property
    def rows(self) -> Mapping[int, Entry]:
        """The entries that have a block of data, by dump id."""
        data = self.selection.of("data")
        return {entry.dump_id: entry for entry in data if entry.had_data}

    @cached_property
    def large_objects(self) -> tuple[Entry, ...]:
        """The entries that create large objects, before their data (from 17 on)."""
        data = self.selection.of("data")
        return tuple(entry for entry in data if entry.desc == "BLOB METADATA")

    @cached_property
    def table_of(self) -> Mapping[int, int]:
        """The table of each entry with rows; key and value are dump ids."""
        return {
            dump_id: next(self._dependencies(entry, {"TABLE"}), 0)
            for dump_id, entry in self.rows.items()
        }

    @cached_property
    def needs(self) -> Mapping[int, frozenset[int]]:
        """The entries that must be restored before a table's rows, by dump id.

        An extension's tables may refer to others. Tables without needs are left out.
        """
        filled = {*self.rows, *(entry.dump_id for entry in self.large_objects)}
        found = {i: filled.intersection(e.dependencies) for i, e in self.rows.items()}
        return {i: frozenset(needed) for i, needed in found.items() if needed}

    @cached_property
    def late(self) -> frozenset[int]:
        """Rows whose table's checks may read other tables: earlier rows come first."""
        return checked(self.archive.by_id) & self.rows.keys()

    @cached_property
    def keys_of_table(self) -> Mapping[int, list[Entry]]:
        """Keys and indexes that need only their own table's rows, by table."""
        found: dict[int, list[Entry]] = {}
        for entry in self.selection.of("post-data"):
            if entry.desc in {"CONSTRAINT", "INDEX"}:
                tables = list(self._dependencies(entry, {"TABLE"}))
                calling = _CALLING.search(entry.definition)
                usual = not calling and self._needs_only(entry, _HARMLESS)
                if len(set(tables)) == 1 and usual:
                    found.setdefault(tables[0], []).append(entry)
        return found

    @cached_property
    def analyzable(self) -> frozenset[int]:
        """Rows whose table may be analyzed once its `keys_of_table` are there.

        Others are analyzed at the end: an index or extended statistics come late, other
        tables inherit from them, or the dump has statistics, which come in their turn.
        """
        entries = self.selection.entries
        if any(entry.desc == "STATISTICS DATA" for entry in entries):
            return frozenset()
        early = {e.dump_id for found in self.keys_of_table.values() for e in found}
        tables = {i for i, entry in self.archive.by_id.items() if entry.desc == "TABLE"}
        kept_waiting: set[int] = set()
        for entry in entries:
            others = tables.intersection(entry.dependencies)
            if entry.desc == "TABLE" and others:
                kept_waiting |= {entry.dump_id, *others}
            elif entry.desc in _FOR_STATISTICS and entry.dump_id not in early:
                kept_waiting |= others
        return frozenset(
            rows
            for rows, table in self.table_of.items()
            if table in tables - kept_waiting and not unknown(self.rows[rows].tag)
        )

    @cached_property
    def foreign_keys(self) -> Mapping[int, list[Entry]]:
        """Foreign keys that need only rows and `keys_of_table`, by referring table."""
        keys = {e.dump_id for entries in self.keys_of_table.values() for e in entries}
        found: dict[int, list[Entry]] = {}
        for entry in self.selection.of("post-data"):
            if entry.desc == "FK CONSTRAINT":
                others = self._dependencies(entry, {"CONSTRAINT", "INDEX"})
                usual = self._needs_only(entry, _HARMLESS | {"CONSTRAINT", "INDEX"})
                own = self._owner(entry)
                if own and usual and set(others) <= keys:
                    found.setdefault(own, []).append(entry)
        return found

    def tables_of(self, entry: Entry) -> frozenset[int]:
        """The tables that creating a key locks, with the tables that it references."""
        found = set(self._dependencies(entry, {"TABLE"}))
        for key in self.keys_of(entry):
            found.update(self._dependencies(self.archive.by_id[key], {"TABLE"}))
        return frozenset(found)

    def keys_of(self, entry: Entry) -> frozenset[int]:
        """The keys and indexes that a foreign key depends on, by dump id."""
        return frozenset(self._dependencies(entry, {"CONSTRAINT", "INDEX"}))

    def remaining(self, done: set[int]) -> list[Part]:
        """The post-data entries that are not `done`, in the parts to restore."""
        last = self.selection.of("post-data")
        undone = (entry for entry in last if entry.dump_id not in done)
        return parts(self.archive.by_id, "post-data", undone)

    def _owner(self, entry: Entry) -> int | None:
        """The referring table of a foreign key; None where the entry does not tell."""
        found = {
            dump_id
            for dump_id in self._dependencies(entry, {"TABLE"})
            if entry.tag.startswith(f"{self.archive.by_id[dump_id].tag} ")
        }
        return found.pop() if len(found) == 1 else None

    def _dependencies(self, entry: Entry, kinds: set[str]) -> Iterator[int]:
        for dump_id in entry.dependencies:
            needed = self.archive.by_id.get(dump_id)
            if needed and needed.desc in kinds:
                yield dump_id

    def _needs_only(self, entry: Entry, kinds: frozenset[str]) -> bool:
        by_id = self.archive.by_id
        needed = (by_id[i] for i in entry.dependencies if i in by_id)
        return all(other.desc in kinds for other in needed)
