"""The entries that call functions of the app's, which may read any table.

Such an entry must wait for all that a serial pg_restore restores before it, though the
dump lists no such dependency. A function's declaration (IMMUTABLE, …) is no proof.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from dbpull.archive import Entry

Entries = Mapping[int, Entry]
"""Entries by dump id."""
Edge = tuple[int, int]
"""An entry, and an entry that is called with it: both by dump id."""

FUNCTIONS = frozenset({"FUNCTION", "PROCEDURE"})
# COPY evaluates the expressions behind these words, and the checks of a column's type.
# It evaluates defaults only of columns that it does not name, and pg_dump names all.
_EVALUATED = re.compile(r"\bCHECK \(|\bGENERATED ALWAYS AS \(|^PARTITION BY ", re.M)
_END_OF_NAME = re.compile(r'["(]')


def checked(by_id: Entries) -> frozenset[int]:
    """The entries that call functions while rows are stored: tables, types, domains."""
    casts = (entry for entry in by_id.values() if entry.desc == "CAST")
    casting = {dump_id for cast in casts for dump_id in cast.dependencies}

    def calls(entry: Entry, other: Entry) -> bool:
        if entry.desc not in {"TABLE", "DOMAIN"}:
            return True
        if other.desc in FUNCTIONS:
            return _mentions(entry, other) or (
                other.dump_id in casting and bool(_evaluated(entry))
            )
        return other.desc not in {"OPERATOR", "AGGREGATE"} or bool(_evaluated(entry))

    return _reaching(by_id, [*_depending(by_id, calls), *_attached(by_id)])


def reading(by_id: Entries) -> frozenset[int]:
    """The entries that call functions when read or built: views, indexes and the like.

    Reading a table calls none; filling a materialized view builds its indexes, too.
    """

    def calls(entry: Entry, _: Entry) -> bool:
        return entry.desc != "TABLE"

    return _reaching(by_id, [*_depending(by_id, calls), *_made_with(by_id)])


def _depending(by_id: Entries, calls: Callable[[Entry, Entry], bool]) -> Iterator[Edge]:
    for entry in by_id.values():
        for dump_id in entry.dependencies:
            other = by_id.get(dump_id)
            if other and calls(entry, other):
                yield entry.dump_id, dump_id


def _attached(by_id: Entries) -> Iterator[Edge]:
    """From a partition to its ATTACH: its rows are compared with the bounds there."""
    for entry in by_id.values():
        if entry.desc == "TABLE ATTACH":
            for table in entry.dependencies:
                yield table, entry.dump_id


def _made_with(by_id: Entries) -> Iterator[Edge]:
    """From a view to its rule, which may hold its query; likewise to its indexes."""
    for entry in by_id.values():
        kind = {"RULE": "VIEW", "INDEX": "MATERIALIZED VIEW"}.get(entry.desc)
        for view in entry.dependencies if kind else ():
            if view in by_id and by_id[view].desc == kind:
                yield view, entry.dump_id


def _reaching(by_id: Entries, edges: Iterable[Edge]) -> frozenset[int]:
    """The functions, and the entries from which edges lead to a function."""
    callers: dict[int, list[int]] = defaultdict(list)
    for caller, called in edges:
        callers[called].append(caller)
    unseen = [i for i, entry in by_id.items() if entry.desc in FUNCTIONS]
    found = set(unseen)
    while unseen:
        for caller in callers[unseen.pop()]:
            if caller not in found:
                found.add(caller)
                unseen.append(caller)
    return frozenset(found)


def _evaluated(entry: Entry) -> str:
    """The text of a definition that may be evaluated for each row."""
    found = _EVALUATED.search(entry.definition)
    return entry.definition[found.start() :] if found else ""


def _mentions(entry: Entry, function: Entry) -> bool:
    """Whether an entry's evaluated text may name a function."""
    name = _END_OF_NAME.split(function.tag, maxsplit=1)[0]
    return name in _evaluated(entry)
