"""The unique and foreign keys that a dump will create, from its table of contents.

Source: dumpConstraint and dumpIndex in src/bin/pg_dump/pg_dump.c word them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dbpull.archive import IDENTIFIER, Entry, unquoted
from dbpull.postgres.patterns import Table

_TABLE = rf"(?:({IDENTIFIER})\.)?({IDENTIFIER})"
_NAMES = rf"\(({IDENTIFIER}(?:, {IDENTIFIER})*)\)"
_ALTERED = re.compile(rf"ALTER TABLE (?:ONLY )?{_TABLE}\s+ADD CONSTRAINT {IDENTIFIER} ")
_KEY = re.compile(rf"(?:UNIQUE|PRIMARY KEY)(?: NULLS NOT DISTINCT)? {_NAMES}")
_REFERENCE = re.compile(rf"FOREIGN KEY {_NAMES} REFERENCES {_TABLE}{_NAMES}")
_INDEX = re.compile(
    rf"CREATE UNIQUE INDEX {IDENTIFIER} ON (?:ONLY )?{_TABLE}"
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
                yield Unique(_table(found, schema), frozenset(_names(key[1])))
        elif entry.desc == "INDEX" and (found := _INDEX.search(entry.definition)):
            columns = _BEHIND.split(_TEXT.sub("", found[3]))[0]
            yield Unique(_table(found, schema), frozenset(mentioned(columns)))


def references(entries: Iterable[Entry]) -> Iterator[Reference]:
    """The foreign keys."""
    for entry in entries:
        found = _ALTERED.search(entry.definition)
        if entry.desc == "FK CONSTRAINT" and found:
            key = _REFERENCE.match(entry.definition, found.end())
            if key:
                schema = entry.namespace or ""
                to = unquoted(key[2]) if key[2] else schema, unquoted(key[3])
                own, theirs = _names(key[1]), _names(key[4])
                yield Reference(_table(found, schema), own, to, theirs)


def mentioned(sql: str) -> Iterator[str]:
    """Every name in SQL that a column may have."""
    for word in re.findall(r'"(?:[^"]|"")+"|[^\W\d][\w$]*', _TEXT.sub("", sql)):
        yield unquoted(word) if word.startswith('"') else word.lower()


def _table(found: re.Match[str], schema: str) -> Table:
    return (unquoted(found[1]) if found[1] else schema), unquoted(found[2])


def _names(text: str) -> tuple[str, ...]:
    return tuple(map(unquoted, re.findall(IDENTIFIER, text)))
