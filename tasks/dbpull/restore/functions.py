"""Which entries call functions of the app's: they may read whatever there is.

So they must wait for what a serial pg_restore restores before them, though nothing in
a dump says so. What a function is declared to be (IMMUTABLE, …) tells nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from dbpull.archive import Entry

Edge = tuple[int, int]
"""An entry, and another that is at work where it is: both by dump id."""

FUNCTIONS = frozenset({"FUNCTION", "PROCEDURE"})
# COPY evaluates of a table what stands behind these, and of a column's type; defaults
# only where a column is not in the COPY, and pg_dump names them all.
_EVALUATED = re.compile(r"\bCHECK \(|\bGENERATED ALWAYS AS \(|^PARTITION BY ", re.M)
_END_OF_NAME = re.compile(r'["(]')


def checked(entries: Iterable[Entry]) -> frozenset[int]:
    """What calls functions while rows are stored: tables, types, all between."""
    given = tuple(entries)
    casting = {i for entry in given if entry.desc == "CAST" for i in entry.dependencies}
    by_id = {entry.dump_id: entry for entry in given}

    def calls(entry: Entry, other: Entry) -> bool:
        if entry.desc not in {"TABLE", "DOMAIN"}:
            return True
        if other.desc in FUNCTIONS:
            return _mentions(entry, other) or (
                other.dump_id in casting and bool(_evaluated(entry))
            )
        return other.desc not in {"OPERATOR", "AGGREGATE"} or bool(_evaluated(entry))

    return _reaching(by_id.values(), [*_depending(by_id, calls), *_attached(by_id)])


def reading(entries: Iterable[Entry]) -> frozenset[int]:
    """What calls functions where it is read or made anew: views, indexes, and the like.

    Reading a table calls nothing; a materialized view has its indexes made, too.
    """
    by_id = {entry.dump_id: entry for entry in entries}

    def calls(entry: Entry, _: Entry) -> bool:
        return entry.desc != "TABLE"

    edges = [*_depending(by_id, calls), *_made_with(by_id)]
    return _reaching(by_id.values(), edges)


def _depending(
    by_id: dict[int, Entry], calls: Callable[[Entry, Entry], bool]
) -> Iterator[Edge]:
    for entry in by_id.values():
        for one in entry.dependencies:
            other = by_id.get(one)
            if other and calls(entry, other):
                yield entry.dump_id, one


def _attached(by_id: dict[int, Entry]) -> Iterator[Edge]:
    """A partition's rows are compared with its bounds, which are the parent's words."""
    for entry in by_id.values():
        if entry.desc == "TABLE ATTACH":
            for table in entry.dependencies:
                yield table, entry.dump_id


def _made_with(by_id: dict[int, Entry]) -> Iterator[Edge]:
    """A view's query may be a rule of its own, a materialized view has indexes."""
    for entry in by_id.values():
        kind = {"RULE": "VIEW", "INDEX": "MATERIALIZED VIEW"}.get(entry.desc)
        for one in entry.dependencies if kind else ():
            if one in by_id and by_id[one].desc == kind:
                yield one, entry.dump_id


def _reaching(entries: Iterable[Entry], edges: Iterable[Edge]) -> frozenset[int]:
    """Functions, and all from which edges lead to one, over however many others."""
    callers: dict[int, list[int]] = defaultdict(list)
    for caller, called in edges:
        callers[called].append(caller)
    left = [entry.dump_id for entry in entries if entry.desc in FUNCTIONS]
    found = set(left)
    while left:
        for caller in callers[left.pop()]:
            if caller not in found:
                found.add(caller)
                left.append(caller)
    return frozenset(found)


def _evaluated(entry: Entry) -> str:
    """What of a table's or a domain's definition is evaluated for each row, at most."""
    found = _EVALUATED.search(entry.definition)
    return entry.definition[found.start() :] if found else ""


def _mentions(entry: Entry, function: Entry) -> bool:
    """Whether what is evaluated may name it; an operator or a cast may hide it."""
    name = _END_OF_NAME.split(function.tag, maxsplit=1)[0]
    return name in _evaluated(entry)
