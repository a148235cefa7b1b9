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
    raw = definition.encode(archive.codec, "surrogateescape")
    behind = start + 1 + archive.integer_width
    length = int.from_bytes(contents[start + 1 : behind], "little")
    there = contents[behind : behind + length]
    if not start or there.decode(archive.codec, "surrogateescape") != entry.definition:
        raise ValueError(f"entry {entry.dump_id} is not defined at byte {start}")
    new = b"\0" + len(raw).to_bytes(archive.integer_width, "little") + raw
    return contents[:start] + new + contents[behind + length :]
