"""A table of contents in which one entry is defined otherwise."""

from __future__ import annotations

from dbpull.archive.toc import Archive, Entry

Redefinition = tuple[Entry, str]
"""An entry, and the SQL that is to stand in for its definition."""


def redefined(contents: bytes, archive: Archive, how: Redefinition) -> bytes:
    """The first `data_start` bytes of an archive, with that SQL as the definition.

    Source: WriteStr in src/bin/pg_dump/pg_backup_archiver.c.
    """
    entry, definition = how
    start = entry.definition_at
    old, new = _text(archive, entry.definition), _text(archive, definition)
    if not start or contents[start : start + len(old)] != old:
        raise ValueError(f"entry {entry.dump_id} is not defined at byte {start}")
    return contents[:start] + new + contents[start + len(old) :]


def _text(archive: Archive, text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    return b"\0" + len(raw).to_bytes(archive.integer_width, "little") + raw
