"""What of a dump has to wait for what: the engine's plan, made from its contents.

Sections keep their order but for keys and indexes, which need their own table's rows
alone, and foreign keys, which need those of both their tables. Source:
fix_dependencies and identify_locking_dependencies in
src/bin/pg_dump/pg_backup_archiver.c, for what a bare `pg_restore -j` goes by.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from dbpull.archive import Archive, Entry
from dbpull.restore.functions import checked
from dbpull.restore.order import Part, parts
from dbpull.restore.selection import Selection

# What a key or an index may depend on to be made before other tables' rows are in. A
# function of the app's may read them, whatever it was declared.
_HARMLESS = frozenset(
    {"TABLE", "SCHEMA", "EXTENSION", "TYPE", "DOMAIN", "COLLATION", "ACCESS METHOD"}
)


@dataclass(frozen=True)
class Agenda:
    """What is restored, sorted by when it may be."""

    archive: Archive
    selection: Selection

    @cached_property
    def definitions(self) -> tuple[Entry, ...]:
        """What comes first."""
        return self.selection.of("pre-data")

    @cached_property
    def rows(self) -> Mapping[int, Entry]:
        """What has a block of data, by dump id."""
        data = self.selection.of("data")
        return {entry.dump_id: entry for entry in data if entry.had_data}

    @cached_property
    def without_data(self) -> tuple[Entry, ...]:
        """Of the data what has no block: where sequences stand, statistics, comments
        on large objects."""
        data = self.selection.of("data")
        first = set(self.large_objects)
        return tuple(e for e in data if not e.had_data and e not in first)

    @cached_property
    def large_objects(self) -> tuple[Entry, ...]:
        """What creates them, for their data to be put in (from PostgreSQL 17 on)."""
        data = self.selection.of("data")
        return tuple(entry for entry in data if entry.desc == "BLOB METADATA")

    @cached_property
    def blobs(self) -> frozenset[int]:
        """The data of large objects, which comments on them must wait for."""
        return frozenset(i for i, entry in self.rows.items() if entry.desc == "BLOBS")

    @cached_property
    def table_of(self) -> Mapping[int, int]:
        """The table of each entry with rows, both by dump id."""
        return {
            dump_id: next(self._dependencies(entry, {"TABLE"}), 0)
            for dump_id, entry in self.rows.items()
        }

    @cached_property
    def needs(self) -> Mapping[int, frozenset[int]]:
        """What must be in before rows: an extension's own tables may refer to others.

        Of most tables nothing, and they are not named.
        """
        there = {*self.rows, *(entry.dump_id for entry in self.large_objects)}
        found = {i: there.intersection(e.dependencies) for i, e in self.rows.items()}
        return {i: frozenset(needed) for i, needed in found.items() if needed}

    @cached_property
    def late(self) -> frozenset[int]:
        """Rows whose table's checks may read others: they wait for all before them."""
        return checked(self.archive.entries) & self.rows.keys()

    @cached_property
    def keys_of_table(self) -> Mapping[int, list[Entry]]:
        """Keys and indexes that need a table's rows alone, by that table."""
        found: dict[int, list[Entry]] = {}
        for entry in self.selection.of("post-data"):
            if entry.desc in {"CONSTRAINT", "INDEX"}:
                tables = list(self._dependencies(entry, {"TABLE"}))
                if len(set(tables)) == 1 and self._needs_only(entry, _HARMLESS):
                    found.setdefault(tables[0], []).append(entry)
        return found

    @cached_property
    def foreign_keys(self) -> Mapping[int, list[Entry]]:
        """Foreign keys that need a table's rows and such keys, by that table."""
        keys = {e.dump_id for one in self.keys_of_table.values() for e in one}
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
        """The tables that creating it locks, also where it refers to one's key."""
        found = set(self._dependencies(entry, {"TABLE"}))
        for key in self.keys_of(entry):
            found.update(self._dependencies(self.archive.by_id[key], {"TABLE"}))
        return frozenset(found)

    def keys_of(self, entry: Entry) -> frozenset[int]:
        """The keys and indexes that it builds upon."""
        return frozenset(self._dependencies(entry, {"CONSTRAINT", "INDEX"}))

    def remaining(self, done: set[int]) -> list[Part]:
        """What of the last section is not done yet, in the parts to restore it in."""
        last = self.selection.of("post-data")
        left = (entry for entry in last if entry.dump_id not in done)
        return parts(self.archive.by_id, "post-data", left)

    def _owner(self, entry: Entry) -> int | None:
        """The table that refers; None where that can't be told."""
        found = {
            dump_id
            for dump_id in self._dependencies(entry, {"TABLE"})
            if entry.tag.startswith(f"{self.archive.by_id[dump_id].tag} ")
        }
        return found.pop() if len(found) == 1 else None

    def _dependencies(self, entry: Entry, kinds: set[str]) -> Iterator[int]:
        for dump_id in entry.dependencies:
            there = self.archive.by_id.get(dump_id)
            if there and there.desc in kinds:
                yield dump_id

    def _needs_only(self, entry: Entry, kinds: frozenset[str]) -> bool:
        by_id = self.archive.by_id
        there = (by_id[one] for one in entry.dependencies if one in by_id)
        return all(one.desc in kinds for one in there)
