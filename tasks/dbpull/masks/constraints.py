"""The unique and foreign keys that a dump will create, from its table of contents.

Source: dumpConstraint and dumpIndex in src/bin/pg_dump/pg_dump.c word them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dbpull.archive import IDENTIFIER, Entry, unquoted
from dbpull.postgres.patterns import Table

TABLE = rf"(?:({IDENTIFIER})\.)?({IDENTIFIER})"
"""A regular expression for a table, in two groups: its schema, its name."""
_NAMES = rf"\(({IDENTIFIER}(?:, {IDENTIFIER})*)\)"
_ALTERED = re.compile(rf"ALTER TABLE (?:ONLY )?{TABLE}\s+ADD CONSTRAINT {IDENTIFIER} ")
_KEY = re.compile(rf"(?:UNIQUE|PRIMARY KEY)(?: NULLS NOT DISTINCT)? {_NAMES}")
_REFERENCE = re.compile(rf"FOREIGN KEY {_NAMES} REFERENCES {TABLE}{_NAMES}")
_INDEX = re.compile(
    rf"CREATE UNIQUE INDEX {IDENTIFIER} ON (?:ONLY )?{TABLE}"
    rf" USING {IDENTIFIER} (\(.*)",
    re.DOTALL,
)
_BEHIND = re.compile(r" (?:WHERE|INCLUDE|NULLS NOT DISTINCT|WITH|TABLESPACE) ?\(?")
_TEXT = re.compile(r"'(?:[^']|'')*'")


@dataclass(frozen=True)
class Unique:
    """Columns whose values together are unique in a table."""

    table: Table
    columns: frozenset[str]
    """In an index on expressions, every name there that a column may have."""


@dataclass(frozen=True)
class Reference:
    """A foreign key: columns of a table, and those that they refer to."""

    table: Table
    columns: tuple[str, ...]
    to: Table
    to_columns: tuple[str, ...]


def uniques(entries: Iterable[Entry]) -> Iterator[Unique]:
    """The primary keys, unique constraints and unique indexes."""
    for entry in entries:
        schema = entry.namespace or ""
        if entry.desc == "CONSTRAINT" and (found := _ALTERED.search(entry.definition)):
            if key := _KEY.match(entry.definition, found.end()):
                yield Unique(table_of(found, 1, schema), frozenset(_names(key[1])))
        elif entry.desc == "INDEX" and (found := _INDEX.search(entry.definition)):
            columns = _BEHIND.split(_TEXT.sub("", found[3]))[0]
            yield Unique(table_of(found, 1, schema), frozenset(mentioned(columns)))


def references(entries: Iterable[Entry]) -> Iterator[Reference]:
    """The foreign keys."""
    for entry in entries:
        found = _ALTERED.search(entry.definition)
        if entry.desc == "FK CONSTRAINT" and found:
            key = _REFERENCE.match(entry.definition, found.end())
            if key:
                schema = entry.namespace or ""
                to = table_of(key, 2, schema)
                own, theirs = _names(key[1]), _names(key[4])
                yield Reference(table_of(found, 1, schema), own, to, theirs)


def mentioned(sql: str) -> Iterator[str]:
    """Every name in SQL that a column may have."""
    for word in re.findall(r'"(?:[^"]|"")+"|[^\W\d][\w$]*', _TEXT.sub("", sql)):
        yield unquoted(word) if word.startswith('"') else word.lower()


def table_of(found: re.Match[str], group: int, schema: str = "") -> Table:
    """The table in the groups of TABLE that begin there; its schema, if not named."""
    name = found[group]
    return (unquoted(name) if name else schema), unquoted(found[group + 1])


def _names(text: str) -> tuple[str, ...]:
    return tuple(map(unquoted, re.findall(IDENTIFIER, text)))
