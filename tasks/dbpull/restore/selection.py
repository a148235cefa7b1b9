"""The selection: which entries of an archive are restored or left out, and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from dbpull.archive import Archive, Entry
from dbpull.restore.left_out import LeftOut
from dbpull.restore.skipping import Skipping

_PARTITIONED = re.compile(r"^PARTITION BY ", re.MULTILINE)
_MOVED = "its tables go to the target's default tablespace"


@dataclass(frozen=True)
class Selection:
    """The entries to restore, in the archive's order, and those that are left out."""

    entries: tuple[Entry, ...] = ()
    left_out: tuple[str, ...] = ()
    """The reasons for which entries are left out, each with its count."""
    skipped: tuple[str, ...] = ()
    """Tables whose rows are left out, as `schema.table`."""
    unmatched: Mapping[str, str] = field(default_factory=dict)
    """The patterns of skip_data that match no table, each with the table that was
    probably meant, or ""."""

    def of(self, section: str) -> tuple[Entry, ...]:
        """The entries of a section: `pre-data`, `data`, `post-data`.

        An entry behind a later section's entries belongs to that section, whatever
        section the entry names: pg_dump puts an entry after all that the entry needs.
        Comments and the like name no section and belong to that of the entry before
        them, as in pg_restore (pg_backup_archiver.c, ProcessArchiveRestoreOptions).
        """
        return self._of.get(section, ())

    @cached_property
    def _of(self) -> Mapping[str, tuple[Entry, ...]]:
        order = ("pre-data", "data", "post-data")
        found: dict[str, list[Entry]] = {section: [] for section in order}
        current = 0
        for entry in self.entries:
            if entry.section in order:
                current = max(current, order.index(entry.section))
            found[order[current]].append(entry)
        return {section: tuple(entries) for section, entries in found.items()}

    @cached_property
    def by_id(self) -> Mapping[int, Entry]:
        """The entries by dump id."""
        return {entry.dump_id: entry for entry in self.entries}

    @property
    def tables(self) -> tuple[Entry, ...]:
        """The tables whose rows are restored."""
        return tuple(entry for entry in self.entries if entry.desc == "TABLE DATA")


def select(left_out: LeftOut, skip_data: Sequence[str] = ()) -> Selection:
    """Choose the entries that are not left out, without the rows of skip_data."""
    archive = left_out.archive
    skipping = Skipping(archive, skip_data)
    reasons = Counter(why for why in left_out.reasons.values() if why)
    skipped, kept = [_qualified(entry) for entry in left_out.unfilled], []
    for entry in archive.entries:
        if entry.dump_id in left_out.reasons:
            continue
        if entry.desc == "TABLE DATA" and skipping.means(entry):
            skipped.append(_qualified(entry))
        else:
            kept.append(entry)
    skipped += map(_qualified, _without_rows(archive, kept))
    spaces = (e.tablespace for e in kept if e.tablespace not in {"", "pg_default"})
    reasons.update(f"the tablespace {space}: {_MOVED}" for space in spaces)
    told = tuple(f"{reason} ({count})" for reason, count in reasons.items())
    return Selection(tuple(kept), told, tuple(skipped), skipping.unmatched)


def _without_rows(archive: Archive, kept: Iterable[Entry]) -> list[Entry]:
    """The tables whose rows are not in the archive: pg_dump was told to omit them.

    A partitioned table has no rows of its own.
    """
    rows = (entry for entry in archive.entries if entry.desc == "TABLE DATA")
    filled = {(entry.namespace, entry.tag) for entry in rows}
    return [
        entry
        for entry in kept
        if entry.desc == "TABLE"
        and (entry.namespace, entry.tag) not in filled
        and not _PARTITIONED.search(entry.definition)
    ]


def _qualified(entry: Entry) -> str:
    return f"{entry.namespace}.{entry.tag}"
