"""The tables that a dump will create, from its table of contents alone.

pg_dump words them: dumpTableSchema in src/bin/pg_dump/pg_dump.c. Each column is a name,
a type, and words in capitals; format_type writes types without unquoted capitals.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from dbpull.archive import IDENTIFIER, Entry, unquoted
from dbpull.masks.constraints import TABLE, mentioned, table_of
from dbpull.masks.tables import Column, MaskTable, Tables
from dbpull.postgres.patterns import Table

_CREATED = re.compile(
    rf"^CREATE (?:UNLOGGED |FOREIGN )?TABLE {TABLE}(?: OF {TABLE})?(?= \(|;)", re.M
)
_ATTACHED = re.compile(rf"ALTER TABLE ONLY {TABLE} ATTACH PARTITION {TABLE} ")
_INHERITS = re.compile(rf"\s*INHERITS \(({IDENTIFIER}[^)]*)\)")
_COMPOSITE = re.compile(r"^CREATE TYPE .* AS (?=\()", re.M)
# A text, a name, a bracket, a comma, or what is between them.
_PIECE = re.compile(
    r"""(?<!\w)E'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|"(?:[^"]|"")+"|[()\[\],]"""
    r"""|E|[^'"()\[\],E]+""",
    re.DOTALL,
)
TYPE = r'(?:"(?:[^"]|"")+"|[a-z0-9_.$]|\([^()]*\)|\[\]| (?=[a-z"(]))+'
"""A regular expression for a type, as format_type writes it."""
_COLUMN = re.compile(rf"({IDENTIFIER}) ({TYPE})(?= [A-Z]|$)")
_GENERATED = re.compile(r" GENERATED ALWAYS AS \(")
_PARTITIONED = re.compile(r"^PARTITION BY [A-Z]+ (\(.*\))", re.M)
_REQUIRED = re.compile(r" NOT NULL(?: |$)")
_TEXTS = re.compile(r"'(?:[^']|'')*'")
_CONSTRAINTS = ("CONSTRAINT ", "NOT NULL ")
_TABLES = {"TABLE", "FOREIGN TABLE"}


class _UnreadError(ValueError):
    """A definition is worded in another way than pg_dump's."""


@dataclass(frozen=True)
class _Table:
    """A table by its own entry: the columns that it inherits are not in it."""

    columns: Mapping[str, Column]
    parents: tuple[Table, ...]
    partitioned_by: tuple[str, ...]
    """Names in the partition key: columns, and perhaps functions."""


@dataclass(frozen=True)
class Definitions:
    """The definitions in a dump's table of contents."""

    entries: tuple[Entry, ...]

    @cached_property
    def tables(self) -> Tables:
        """The tables whose definitions can be read, with the columns they inherit."""
        found = {key: table for key in self._own if (table := self._table(key))}
        return Tables(found, "", ())

    @cached_property
    def defined(self) -> frozenset[Table]:
        """The tables that are defined at all."""
        return frozenset(_key(e) for e in self.entries if e.desc in _TABLES)

    def _table(self, key: Table) -> MaskTable | None:
        """A table with its ancestors' columns; None where one of them is not read."""
        ancestors = list(self._ancestors(key))
        known = [self._own[one] for one in ancestors if one in self._own]
        if len(known) < len(ancestors):
            return None
        columns = {
            name: column
            for table in (*reversed(known), self._own[key])
            for name, column in table.columns.items()
        }
        by = self._own[key].partitioned_by
        return MaskTable(*key, True, ancestors, by, columns)  # noqa: FBT003

    def _ancestors(self, key: Table) -> Iterator[Table]:
        own = self._own.get(key)
        for parent in (*(own.parents if own else ()), *self._attached.get(key, ())):
            yield parent
            yield from self._ancestors(parent)

    @cached_property
    def _own(self) -> Mapping[Table, _Table]:
        found = {}
        for entry in self.entries:
            if entry.desc in _TABLES:
                try:
                    found[_key(entry)] = self._read(entry)
                except _UnreadError:
                    continue  # it is in `defined`, not in `tables`
        return found

    @cached_property
    def _attached(self) -> Mapping[Table, list[Table]]:
        """The partitioned table of each partition.

        It is an entry since pg_dump 14; before, it ends the partition's entry.
        """
        found: dict[Table, list[Table]] = {}
        for entry in self.entries:
            if entry.desc in {"TABLE", "TABLE ATTACH"}:
                for match in _ATTACHED.finditer(entry.definition):
                    parent, own = table_of(match, 1), table_of(match, 3)
                    found.setdefault(own, []).append(parent)
        return found

    def _read(self, entry: Entry) -> _Table:
        """Read a table's definition. Raises _UnreadError."""
        text = entry.definition
        found = _CREATED.search(text)
        if not found or table_of(found, 1) != _key(entry):
            raise _UnreadError
        columns: Mapping[str, Column] = {}
        end = found.end()
        if found[4]:  # CREATE TABLE … OF …: its list, if any, has no types
            columns = self._composite(table_of(found, 3))
        elif text[end : end + 1] == " ":
            items, end = split(text, end + 1)
            columns = _columns(items)
        parents = _INHERITS.match(text, end)
        names = re.finditer(TABLE, parents[1]) if parents else ()
        by = _PARTITIONED.search(text, end)
        partitioned_by = tuple(mentioned(by[1])) if by else ()
        return _Table(columns, tuple(table_of(one, 1) for one in names), partitioned_by)

    def _composite(self, key: Table) -> Mapping[str, Column]:
        for entry in self.entries:
            found = _COMPOSITE.search(entry.definition)
            if found and entry.desc == "TYPE" and _key(entry) == key:
                return _columns(split(entry.definition, found.end())[0])
        raise _UnreadError


def fields_of(entry: Entry) -> list[str] | None:
    """The types of a composite type's fields; None where they can't be read."""
    found = _COMPOSITE.search(entry.definition)
    try:
        items = split(entry.definition, found.end())[0] if found else None
        return items and [column.type for column in _columns(items).values()]
    except _UnreadError:
        return None


def split(text: str, start: int) -> tuple[list[str], int]:
    """The items of a list in parentheses that starts there, and the list's end.

    Raises _UnreadError, a ValueError, where it does not end.
    """
    items, depth = [""], 0
    for found in _PIECE.finditer(text, start):
        piece = found[0]
        depth += (piece in "([") - (piece in ")]")
        if depth == 0:
            return [item.strip() for item in items if item.strip()], found.end()
        if depth == 1 and piece == ",":
            items.append("")
        elif found.start() > start:
            items[-1] += piece
    raise _UnreadError


def _columns(items: Iterable[str]) -> dict[str, Column]:
    """The columns of a list, without its constraints. Raises _UnreadError."""
    found = {}
    for item in items:
        if item.startswith(_CONSTRAINTS):
            continue
        match = _COLUMN.match(item)
        if not match:
            raise _UnreadError
        name, rest = unquoted(match[1]), item[match.end() :]
        generated = [*mentioned(rest)] if _GENERATED.match(rest) else None
        required = bool(_REQUIRED.search(_TEXTS.sub("", rest)))
        found[name] = Column(
            name, match[2], required=required, generated_from=generated
        )
    return found


def _key(entry: Entry) -> Table:
    return entry.namespace or "", entry.tag
