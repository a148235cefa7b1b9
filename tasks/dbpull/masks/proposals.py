"""Proposals of rules: what is known of a column, made a rule that fits the column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dbpull.masks.contents import Found, found_in, paths_in, words_of
from dbpull.masks.decisions import LARGE_OBJECTS, WHOLE, Deciding, Undecided
from dbpull.masks.detection import kind_of, words
from dbpull.masks.fakes import FEWEST_DIGITS, LEAST, UNIQUE
from dbpull.masks.rules import FAKES, Path
from dbpull.masks.tables import Column, ColumnName

Samples = Mapping[ColumnName, list[str]]
"""Values of columns that are not NULL."""
_RULES = {
    "e-mail address": "email", "phone number": "phone", "password": "password",
    "secret": "token", "first name": "first_name", "last name": "last_name",
    "name": "name", "username": "username", "street": "street", "postcode": "postcode",
    "town": "city", "place on a map": "blank", "date of birth": "birthday",
    "personal trait": "blank", "network address": "ip", "bank account": "digits",
    "official number": "token", "free text": "text", "copy of other values": "blank",
    "link or picture": "url",
}  # fmt: skip
"""The rule for a text of each kind."""
_OF_PEOPLE = {"first name", "last name", "name"}
_LIMIT = re.compile(r"^character(?: varying)?\((\d+)\)")
_DAYS = ("date", "timestamp")
_BLANK = frozenset({"text", "document", "bytes", "words", "number", "address"})
"""What columns hold for which `blank` has a value."""


@dataclass(frozen=True)
class Proposal:
    """A rule for a column, and why."""

    pattern: str
    rule: Any
    why: str


@dataclass(frozen=True)
class Proposing:
    """What proposals are made of."""

    deciding: Deciding
    samples: Samples

    @cached_property
    def names(self) -> frozenset[str]:
        """The words in columns whose names tell of people's names."""
        return frozenset(
            word
            for name, values in self.samples.items()
            if kind_of(*name[1:], {"text"}) in _OF_PEOPLE
            for value in values
            if "@" not in value
            for word in words_of(value)
        )

    def propose(self, undecided: Undecided) -> Proposal | None:
        """A rule for a column that looks personal; None where none is known to fit."""
        name = undecided.name
        pattern = _pattern(name)
        if not pattern or name == LARGE_OBJECTS or name[2] == WHOLE:
            return None
        table = self.deciding.definitions.tables.by_name[name[:2]]
        column = table.columns[name[2]]
        of_others = name in self.deciding.referring or column.generated_from is not None
        if of_others or name[2] in table.partitioned_by:
            return None
        holds = self.deciding.types.holds(column.type)
        values = self.samples.get(name, [])
        if "document" in holds and undecided.kind != "copy of other values":
            paths = paths_in(values)
            if paths:
                return Proposal(pattern, _of_json(paths), "by keys and values")
        found = None if holds == {"document"} else found_in(values, self.names)
        kind = _kind(undecided.kind, found)
        rule = self._rule(name, column, kind) if kind else None
        if rule is None:
            return None
        by_name = "by name" if undecided.kind else ""
        seen = f"{found.kind} in {found.told}" if found else ""
        return Proposal(pattern, rule, "; ".join(filter(None, [by_name, seen])))

    def _rule(self, name: ColumnName, column: Column, kind: str) -> str | None:
        """The name of the rule; None where the column can't be masked so."""
        holds = self.deciding.types.holds(column.type)
        is_key = name in self.deciding.keys
        if holds == {"text"}:
            rule = _for_text(name, column, kind)
            lossy = rule not in UNIQUE or _is_short(column, rule)
            if is_key and lossy:
                return None if _is_short(column, "token") else "token"
            return "blank" if _is_short(column, rule) else rule
        if holds == {"uuid"}:
            return "uuid"
        if is_key:
            return None if column.required else "null"
        if column.type.startswith(_DAYS) and not column.type.endswith("]"):
            return "birthday"
        if holds == {"address"}:
            return "ip" if column.type in {"inet", "cidr"} else None
        if holds <= _BLANK:
            return "blank"
        return None if column.required else "null"


def _kind(by_name: str, found: Found | None) -> str:
    """The kind of a column by its name and contents.

    Names of people are in many columns, whose names tell more. Text in which some
    personal values are is free text.
    """
    sure = found.kind if found and found.is_sure else ""
    if by_name and sure in {"", "name"}:
        return by_name
    return sure or ("free text" if found else "")


def _for_text(name: ColumnName, column: Column, kind: str) -> str:
    rule, said = _RULES[kind], words(name[2])
    if kind == "bank account":
        rule = {"iban": "iban", "card": "card"}.get(said[-1], rule)
    if kind == "date of birth" or (rule == "password" and column.type.endswith("]")):
        return "blank"
    return rule


def _is_short(column: Column, rule: str) -> bool:
    """Whether a column is too short for a rule that makes long values."""
    found = _LIMIT.match(column.type)
    least = LEAST.get(rule, FEWEST_DIGITS if rule == "token" else 0)
    return bool(found) and int(found[1]) < least if found else False


def _of_json(paths: Mapping[Path, str]) -> dict[str, Any]:
    """The rule of a document: fakes at these paths, or nothing there."""
    fakes, dropped = {}, []
    for path, kind in sorted(paths.items()):
        rule, has_dot = _RULES[kind], any("." in key or not key for key in path)
        if rule in FAKES and rule != "birthday" and not has_dot:
            fakes[".".join(path)] = rule
        else:
            dropped.append(list(path) if has_dot else ".".join(path))
    found = {"fake": fakes, "drop": dropped}
    return {"json": {key: value for key, value in found.items() if value}}


def _pattern(name: ColumnName) -> str:
    """The pattern for a column; "" where no pattern can name the column alone."""
    schema, table, column = name
    if any(set(part) & set(".*?[") for part in name):
        return ""
    parts = (table, column) if schema == "public" else name
    return ".".join(parts)
