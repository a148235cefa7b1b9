"""The unique and foreign keys that a dump will create, from its table of contents.

Source: dumpConstraint and dumpIndex in src/bin/pg_dump/pg_dump.c word them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dbpull.archive import IDENTIFIER, Entry, unknown, unquoted
from dbpull.postgres.patterns import Table

TABLE = rf"(?:({IDENTIFIER})\.)?({IDENTIFIER})"
"""A regular expression for a table, in two groups: its schema, its name."""
# Since 18 the last column of a key may be the period in which a row holds.
_LAST = rf"(?:PERIOD )?{IDENTIFIER}(?: WITHOUT OVERLAPS)?"
_NAMES = rf"\(((?:{IDENTIFIER}, )*{_LAST})\)"
_KEYWORDS = frozenset({"PERIOD", "WITHOUT", "OVERLAPS"})
_ALTERED = re.compile(
    rf"ALTER TABLE (?:ONLY )?{TABLE}\s+ADD CONSTRAINT (?P<name>{IDENTIFIER}) "
)
_KEY = re.compile(rf"(?:UNIQUE|PRIMARY KEY)(?: NULLS NOT DISTINCT)? {_NAMES}")
_EXCLUDED = re.compile(rf"EXCLUDE USING {IDENTIFIER} (.*?)(?: WHERE \(|;)", re.DOTALL)
_REFERENCE = re.compile(rf"FOREIGN KEY {_NAMES} REFERENCES {TABLE}{_NAMES}")
_INDEX = re.compile(
    rf"CREATE UNIQUE INDEX (?P<name>{IDENTIFIER}) ON (?:ONLY )?{TABLE}"
    rf" USING {IDENTIFIER} (?P<columns>\(.*)",
    re.DOTALL,
)
_BEHIND = re.compile(r" (?:WHERE|INCLUDE|NULLS NOT DISTINCT|WITH|TABLESPACE) ?\(?")
_TEXT = re.compile(r"'(?:[^']|'')*'")
_UNPROVEN = (" NOT VALID;", " NOT ENFORCED;")


@dataclass(frozen=True)
class NamedKey:
    """A unique or a foreign key, or a unique index."""

    table: Table
    name: str
    unproven: bool
    """Whether rows need not fulfil it."""


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


def keys(entries: Iterable[Entry]) -> Iterator[NamedKey]:
    """The keys whose names are known."""
    for entry in entries:
        definition, group = entry.definition, 1
        found = None
        if entry.desc in {"CONSTRAINT", "FK CONSTRAINT"}:
            found = _ALTERED.search(definition)
        elif entry.desc == "INDEX":
            found, group = _INDEX.search(definition), 2
        if found and not unknown(definition):
            table = table_of(found, group, entry.namespace or "")
            unproven = definition.rstrip().endswith(_UNPROVEN)
            yield NamedKey(table, unquoted(found["name"]), unproven)


def uniques(entries: Iterable[Entry]) -> Iterator[Unique]:
    """The primary keys, unique and exclusion constraints and unique indexes."""
    for entry in entries:
        schema = entry.namespace or ""
        if entry.desc == "CONSTRAINT" and (found := _ALTERED.search(entry.definition)):
            if key := _KEY.match(entry.definition, found.end()):
                yield Unique(table_of(found, 1, schema), frozenset(_names(key[1])))
            elif key := _EXCLUDED.match(entry.definition, found.end()):
                columns = frozenset(mentioned(key[1]))
                yield Unique(table_of(found, 1, schema), columns)
        elif entry.desc == "INDEX" and (found := _INDEX.search(entry.definition)):
            text = _BEHIND.split(_TEXT.sub("", found["columns"]))[0]
            yield Unique(table_of(found, 2, schema), frozenset(mentioned(text)))


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
    words = (word for word in re.findall(IDENTIFIER, text) if word not in _KEYWORDS)
    return tuple(map(unquoted, words))
