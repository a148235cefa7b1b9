"""The excerpt of a table of contents, with the entries that one pg_restore needs.

The whole table for each of many pg_restores would cost the square of the tables.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import BinaryIO

from dbpull.archive.toc import Archive, Entry


def excerpt(
    stream: BinaryIO,
    archive: Archive,
    wanted: Collection[Entry],
    definition: str | None = None,
) -> bytes:
    """The header and table of contents of an archive with only the `wanted` entries.

    Entries keep the archive's order. `definition` is SQL that replaces the definition
    of a single entry. Source: WriteToc and WriteStr in
    src/bin/pg_dump/pg_backup_archiver.c.
    """
    if definition is None and len(wanted) == len(archive.entries):
        return _bytes(stream, 0, archive.data_start)
    ids = {entry.dump_id for entry in wanted}
    always = (entry for entry in archive.settings if entry.dump_id not in ids)
    kept = sorted((*always, *wanted), key=lambda entry: entry.starts_at)
    first = archive.entries[0].starts_at
    pieces = [_bytes(stream, 0, first - 1 - archive.integer_width)]
    pieces.append(_integer(archive, len(kept)))
    for entry in kept:
        raw = _bytes(stream, entry.starts_at, entry.ends_at)
        if definition is not None and entry.dump_id in ids:
            raw = _redefined(raw, archive, entry, definition)
        pieces.append(raw)
    return b"".join(pieces)


def _redefined(raw: bytes, archive: Archive, entry: Entry, definition: str) -> bytes:
    start = entry.definition_at - entry.starts_at
    behind = start + 1 + archive.integer_width
    length = int.from_bytes(raw[start + 1 : behind], "little")
    found = raw[behind : behind + length]
    if found.decode(archive.codec, "surrogateescape") != entry.definition:
        raise ValueError(
            f"entry {entry.dump_id} is not defined at byte {entry.definition_at}"
        )
    new = definition.encode(archive.codec, "surrogateescape")
    return raw[:start] + _integer(archive, len(new)) + new + raw[behind + length :]


def _integer(archive: Archive, number: int) -> bytes:
    return b"\0" + number.to_bytes(archive.integer_width, "little")


def _bytes(stream: BinaryIO, start: int, end: int) -> bytes:
    stream.seek(start)
    pieces = []
    while start < end and (piece := stream.read(end - start)):
        pieces.append(piece)
        start += len(piece)
    return b"".join(pieces)
