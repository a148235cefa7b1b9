"""What must wait for what though nothing in a dump says so.

A serial pg_restore restores in an order that happens to be right; where several
workers do, they go by the dependencies that a dump tells of, and those are not all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from dbpull.archive import Entry

Entries = Mapping[int, Entry]
"""By dump id."""

_THROUGH = frozenset({"TABLE", "DOMAIN", "TYPE"})
_DEPTH = 4


@dataclass(frozen=True)
class Part:
    """Entries of a section that are restored before the next part is begun."""

    entries: tuple[Entry, ...]
    alone: bool = False
    """Whether by one worker, in their order."""


def parts(by_id: Entries, section: str, entries: Iterable[Entry]) -> list[Part]:
    """A section's entries in the parts to restore them in; none is empty."""
    given = tuple(entries)
    by_section = {"data": _of_rows, "post-data": _of_the_last}
    found = by_section[section](by_id, given) if section in by_section else None
    return [part for part in found or [Part(given)] if part.entries]


def reads_others(by_id: Entries, rows: Entry, depth: int = _DEPTH) -> bool:
    """Whether a table's checks call a function of the app's.

    Such a one may read other tables, whatever it was declared.
    """
    there = [e for i in rows.dependencies if (e := by_id.get(i))]
    return any(entry.desc == "FUNCTION" for entry in there) or (
        depth > 0
        and any(
            reads_others(by_id, entry, depth - 1)
            for entry in there
            if entry.desc in _THROUGH
        )
    )


def _of_rows(by_id: Entries, given: tuple[Entry, ...]) -> list[Part]:
    """Those whose checks may read other tables come last, one by one."""
    late = {
        entry.dump_id
        for entry in given
        if entry.had_data and reads_others(by_id, entry)
    }
    if not late:
        return [Part(given)]
    # Comments on large objects and the like wait for them where they were.
    first = tuple(entry for entry in given if entry.dump_id not in late)
    return [Part(first), Part(_only(given, late), alone=True)]


def _of_the_last(_: Entries, given: tuple[Entry, ...]) -> list[Part]:
    """Partitions' indexes are attached by one worker, then come foreign keys.

    Attached by several at once, they may leave their parent invalid; and a foreign
    key to a partitioned table and the ALTER INDEX … ATTACH PARTITION of its key may
    wait for each other. A partition's own state of a trigger (ALTER TABLE … DISABLE
    TRIGGER) needs the parent's trigger, but no dump says so. Event triggers would
    fire on what comes after them.
    """
    late = {entry.dump_id for entry in given if _only_alters(entry)}
    attached = {entry.dump_id for entry in given if entry.desc == "INDEX ATTACH"}
    if attached:
        late |= {entry.dump_id for entry in given if entry.desc == "FK CONSTRAINT"}
    if late:
        late |= {entry.dump_id for entry in given if "EVENT TRIGGER" in entry.line}
    for entry in given:
        if entry.desc != "INDEX ATTACH" and late.intersection(entry.dependencies):
            late.add(entry.dump_id)
    first = {entry.dump_id for entry in given} - late - attached
    return [
        Part(_only(given, first)),
        Part(_only(given, attached), alone=True),
        Part(_only(given, late)),
    ]


def _only(given: tuple[Entry, ...], chosen: Collection[int]) -> tuple[Entry, ...]:
    return tuple(entry for entry in given if entry.dump_id in chosen)


def _only_alters(entry: Entry) -> bool:
    return entry.desc == "TRIGGER" and not entry.definition.lstrip().startswith(
        "CREATE"
    )
