"""The excerpt of a table of contents, with the entries that one pg_restore needs.

The whole table for each of many pg_restores would cost the square of the tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import BinaryIO

from dbpull.archive.toc import Archive, Entry

PIECE = 256 * 1024


def excerpt(
    stream: BinaryIO,
    archive: Archive,
    wanted: Collection[Entry],
    definition: str | None = None,
) -> Iterator[bytes]:
    """The header and table of contents of an archive with only the `wanted` entries.

    Entries keep the archive's order. `definition` is SQL that replaces the definition
    of a single entry. Comes in pieces: of a dump with thousands of tables these are
    many megabytes. Source: WriteToc and WriteStr in
    src/bin/pg_dump/pg_backup_archiver.c.
    """
    if definition is None and len(wanted) == len(archive.entries):
        yield from _pieces(stream, 0, archive.data_start)
        return
    ids = {entry.dump_id for entry in wanted}
    always = (entry for entry in archive.settings if entry.dump_id not in ids)
    kept = sorted((*always, *wanted), key=lambda entry: entry.starts_at)
    first = archive.entries[0].starts_at
    yield from _pieces(stream, 0, first - 1 - archive.integer_width)
    yield _integer(archive, len(kept))
    if definition is None:
        for start, end in _spans(kept):
            yield from _pieces(stream, start, end)
        return
    for entry in kept:
        raw = b"".join(_pieces(stream, entry.starts_at, entry.ends_at))
        is_wanted = entry.dump_id in ids
        yield _redefined(raw, archive, entry, definition) if is_wanted else raw


def _spans(entries: Iterable[Entry]) -> Iterator[tuple[int, int]]:
    """The bytes of the entries, neighbours together: start and end (excluded)."""
    start = end = 0
    for entry in entries:
        if entry.starts_at != end:
            yield start, end
            start = entry.starts_at
        end = entry.ends_at
    yield start, end


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


def _pieces(stream: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    stream.seek(start)
    while start < end and (piece := stream.read(min(end - start, PIECE))):
        yield piece
        start += len(piece)
