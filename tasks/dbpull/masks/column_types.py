"""The types of a dump's columns: what values of a type may hold.

Known by name are PostgreSQL's own types; those that a dump defines are followed down to
these. Any other type may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from dbpull.archive import IDENTIFIER, Entry, unquoted
from dbpull.masks.definitions import TYPE, fields_of
from dbpull.postgres.patterns import Table

_HOLDS = {
    "text": "text, character varying, character, name, citext",
    "number": "smallint, integer, bigint, numeric, real, double precision, money, oid,"
    " int4range, int8range, numrange, int4multirange, int8multirange, nummultirange",
    "time": "date, timestamp without time zone, timestamp with time zone, interval,"
    " time without time zone, time with time zone, daterange, tsrange, tstzrange,"
    " datemultirange, tsmultirange, tstzmultirange",
    "boolean": "boolean",
    "uuid": "uuid",
    "document": "json, jsonb, hstore, xml",
    "address": "inet, cidr, macaddr, macaddr8",
    "bytes": "bytea",
    "words": "tsvector",
}
HOLDS: Mapping[str, str] = {
    name: kind for kind, names in _HOLDS.items() for name in names.split(", ")
}
"""What each type holds; all but _OF_EXTENSIONS are in no schema that is written."""
_OF_EXTENSIONS = {"citext", "hstore"}
HARMLESS = frozenset({"number", "time", "boolean", "enum"})
"""What tells nothing about a person by itself."""
_DOMAIN = re.compile(rf"^CREATE DOMAIN .*? AS ({TYPE})(?= [A-Z]|\s|;)", re.M)
_ENUM = re.compile(r"^CREATE TYPE .* AS ENUM \(", re.M)
_MODIFIERS = re.compile(r'("(?:[^"]|"")+")|\([^()]*\)|(?<=^interval)[a-z ]+')
_NAMED = re.compile(rf"(?:({IDENTIFIER})\.)?(.+?)((?:\[\])*)", re.DOTALL)


def plain(type_: str) -> str:
    """A type without schema, quotes and limits: `varchar(20)[]` is a `varchar[]`.

    One type has one name wherever its extension is, and however a dump quotes.
    """
    _, name, brackets = _parts(type_)
    return re.sub(r"\s+", " ", name).strip() + brackets


@dataclass(frozen=True)
class Types:
    """The types that a dump defines."""

    entries: Iterable[Entry]

    def holds(self, type_: str) -> frozenset[str]:
        """What values of a type hold: `text`, `enum`; `other` for what is unknown."""
        return self._holds(type_, frozenset())

    def _holds(self, type_: str, seen: frozenset[Table]) -> frozenset[str]:
        schema, name, _ = _parts(type_)
        below = self._below.get((schema, name), None)
        if below is None or (schema, name) in seen:
            known = not schema or name in _OF_EXTENSIONS
            return frozenset({HOLDS.get(name, "other") if known else "other"})
        if not below:
            return frozenset({"enum"})
        seen |= {(schema, name)}
        return frozenset().union(*(self._holds(one, seen) for one in below))

    @cached_property
    def _below(self) -> Mapping[Table, list[str]]:
        """The types below each domain and composite type; none below an enum."""
        found: dict[Table, list[str]] = {}
        for entry in self.entries:
            key = entry.namespace or "", entry.tag
            domain = _DOMAIN.search(entry.definition)
            if entry.desc == "DOMAIN" and domain:
                found[key] = [domain[1]]
            elif entry.desc == "TYPE" and _ENUM.search(entry.definition):
                found[key] = []
            elif entry.desc == "TYPE" and (fields := fields_of(entry)):
                found[key] = fields
        return found


def _parts(type_: str) -> tuple[str, str, str]:
    """A type's schema, "" for PostgreSQL's own; its name; its brackets."""
    bare = _MODIFIERS.sub(lambda found: found[1] or "", type_).strip()
    found = _NAMED.fullmatch(bare)
    schema, name, brackets = found.groups() if found else ("", bare, "")
    return unquoted(schema or ""), unquoted(name), brackets
