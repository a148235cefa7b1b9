"""The columns of a dump that nobody has decided about stop a masked pull."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dbpull.archive import Entry
from dbpull.errors.masks import UndecidedColumns
from dbpull.masks import kept_columns, rules
from dbpull.masks.decisions import BLOBS, LARGE_OBJECTS, WHOLE, Deciding, Undecided
from dbpull.masks.tables import ColumnName
from dbpull.project import PROJECT
from dbpull.restore.selection import Selection
from dbpull.settings import Settings


def deciding(selection: Selection, settings: Settings) -> Deciding:
    """What decides about a selection's columns. Raises MaskError."""
    kept = kept_columns.read(PROJECT.folder)
    return Deciding(selection.entries, rules.read(settings.mask), kept)


def judged(
    selection: Selection, settings: Settings, *, blank_new: bool
) -> tuple[Selection, tuple[Undecided, ...]]:
    """The selection, and the columns that are to come blank.

    Raises UndecidedColumns unless `blank_new`; FitsNothing where a mistyped rule may be
    why; and MaskError. Large objects and extensions' tables can't come blank: their
    data are left out.
    """
    filled = {(entry.namespace or "", entry.tag) for entry in selection.tables}
    by = deciding(selection, settings)
    found = by.decide(filled)
    undecided = found.undecided
    if undecided and not blank_new:
        by.refuse_unused(found)
        raise UndecidedColumns([column.told for column in undecided])
    names = {one.name for one in undecided}
    kept = tuple(one for one in selection.entries if not _fills(one, names))
    whole = (".".join(name[:2]) for name in sorted(names) if name[2] == WHOLE)
    skipped = (*selection.skipped, *whole)
    return replace(selection, entries=kept, skipped=skipped), tuple(undecided)


def _fills(entry: Entry, names: Collection[ColumnName]) -> bool:
    """Whether an entry holds the values of a column that can only be left out."""
    if entry.desc == BLOBS:
        return LARGE_OBJECTS in names
    table = entry.namespace or "", entry.tag, WHOLE
    return entry.desc == "TABLE DATA" and table in names
