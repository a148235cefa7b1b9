"""The order of entries beyond the dependencies that a dump lists.

A serial pg_restore restores in an order that happens to be right. Several workers go by
the dependencies that the dump lists, and some are missing there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum

from dbpull.archive import Entry
from dbpull.restore.functions import FUNCTIONS, Entries, checked, reading

# The kinds that pg_restore restores last wherever they stand (_tocEntryRestorePass in
# src/bin/pg_dump/pg_backup_archiver.c).
_LAST_PASS = frozenset({"MATERIALIZED VIEW DATA", "EVENT TRIGGER"})
# A query that groups by a table's key can't run before the key exists.
_GROUPS = re.compile(r"\bgroup\s+by\b", re.I)


class _Turn(IntEnum):
    """The order in which the parts of the post-data section come."""

    FIRST = 0
    EVALUATED = 1
    ATTACHED = 2
    LATE = 3
    REFRESHED = 4
    EVENTS = 5


_ALONE = frozenset({_Turn.ATTACHED, _Turn.REFRESHED})


@dataclass(frozen=True)
class Part:
    """Entries of a section that are restored before the next part is begun."""

    entries: tuple[Entry, ...]
    alone: bool = False
    """Whether one worker restores them, in their order."""
    mixed: bool = False
    """Whether the entries name several sections."""


def parts(by_id: Entries, section: str, entries: Iterable[Entry]) -> list[Part]:
    """A section's entries in the parts to restore them in; none is empty."""
    given = tuple(entries)
    by_section = {"data": _of_rows, "post-data": _of_the_last}
    found = by_section[section](by_id, given) if section in by_section else None
    return [part for part in found or [Part(given)] if part.entries]


def _of_rows(by_id: Entries, given: tuple[Entry, ...]) -> list[Part]:
    """The parts of the data section: rows whose checks may read other tables come last.

    One worker restores them.
    """
    calling = checked(by_id)
    late = {e.dump_id for e in given if e.had_data and e.dump_id in calling}
    # Comments on large objects stay in the part of the large objects.
    first = tuple(entry for entry in given if entry.dump_id not in late)
    return [Part(first), Part(_only(given, late), alone=True)]


def _of_the_last(by_id: Entries, given: tuple[Entry, ...]) -> list[Part]:
    """The parts of post-data, with entries of earlier sections that need a key.

    pg_dump puts a materialized view that groups by a table's key behind the rows, with
    the entries that need the view, and keeps their sections; then the entries between
    are restored in the dump's order. Source: repairMatViewBoundaryMultiLoop
    and repairFunctionBoundaryMultiLoop in src/bin/pg_dump/pg_dump_sort.c.
    """
    earlier = [n for n, e in enumerate(given) if e.section in {"pre-data", "data"}]
    if not earlier:
        return _in_turn(by_id, given)
    start, end = earlier[0], earlier[-1] + 1
    while end < len(given) and given[end].section == "none":
        end += 1
    last = tuple(entry for entry in given[:end] if entry.desc in _LAST_PASS)
    before, between = (
        tuple(entry for entry in entries if entry.desc not in _LAST_PASS)
        for entries in (given[:start], given[start:end])
    )
    return [
        *_in_turn(by_id, before),
        Part(between, alone=True, mixed=True),
        *_in_turn(by_id, (*last, *given[end:])),
    ]


def _in_turn(by_id: Entries, given: tuple[Entry, ...]) -> list[Part]:
    turns: dict[int, _Turn] = {}
    own = _own_turn(by_id, given)
    for entry in given:
        before = (turns[i] for i in entry.dependencies if i in turns)
        turns[entry.dump_id] = max(_after(before), own(entry))
    return [
        Part(
            _only(given, {i for i, its in turns.items() if its == turn}), turn in _ALONE
        )
        for turn in _Turn
    ]


def _after(turns: Iterable[_Turn]) -> _Turn:
    """The earliest turn of an entry whose dependencies have these turns."""
    found = max(turns, default=_Turn.FIRST)
    return _Turn.LATE if found == _Turn.ATTACHED else found


def _own_turn(by_id: Entries, given: tuple[Entry, ...]) -> Callable[[Entry], _Turn]:
    """Tells the turn of an entry by its kind.

    One worker attaches partitions' indexes, then come foreign keys. Several workers
    may leave the parent index invalid; and a foreign key to a partitioned table and
    the ALTER INDEX … ATTACH PARTITION of its key may wait for each other. A
    partition's own state of a trigger (ALTER TABLE … DISABLE TRIGGER) needs the
    parent's trigger, but no dump says so. A materialized view may read any other by a
    function, so those are refreshed in the dump's order; indexes by a function that
    groups by a key come after keys. Event triggers would fire on the entries after
    them, so they come last.
    """
    calling = reading(by_id)
    attaching = any(entry.desc == "INDEX ATTACH" for entry in given)
    grouping = any(
        entry.desc in FUNCTIONS and _GROUPS.search(entry.definition)
        for entry in by_id.values()
    )

    def own(entry: Entry) -> _Turn:
        if entry.desc == "INDEX ATTACH":
            return _Turn.ATTACHED
        if "EVENT TRIGGER" in entry.line:
            return _Turn.EVENTS
        if _only_alters(entry) or (attaching and entry.desc == "FK CONSTRAINT"):
            return _Turn.LATE
        if entry.dump_id not in calling:
            return _Turn.FIRST
        if entry.desc == "MATERIALIZED VIEW DATA":
            return _Turn.REFRESHED
        evaluated = entry.desc in {"INDEX", "CONSTRAINT", "CHECK CONSTRAINT"}
        return _Turn.EVALUATED if grouping and evaluated else _Turn.FIRST

    return own


def _only(given: tuple[Entry, ...], chosen: Collection[int]) -> tuple[Entry, ...]:
    return tuple(entry for entry in given if entry.dump_id in chosen)


def _only_alters(entry: Entry) -> bool:
    return entry.desc == "TRIGGER" and not entry.definition.lstrip().startswith(
        "CREATE"
    )
