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
    statement: str | None = None,
) -> Iterator[bytes]:
    """The header and table of contents of an archive with only the `wanted` entries.

    Entries keep the archive's order. `statement` is SQL that replaces the definition of
    a single entry, or the COPY of its rows. Comes in pieces: of a dump with thousands
    of tables these are many megabytes. Source: WriteToc and WriteStr in
    src/bin/pg_dump/pg_backup_archiver.c.
    """
    if statement is None and len(wanted) == len(archive.entries):
        yield from _pieces(stream, 0, archive.data_start)
        return
    ids = {entry.dump_id for entry in wanted}
    always = (entry for entry in archive.settings if entry.dump_id not in ids)
    kept = sorted((*always, *wanted), key=lambda entry: entry.starts_at)
    first = archive.entries[0].starts_at
    yield from _pieces(stream, 0, first - 1 - archive.integer_width)
    yield _integer(archive, len(kept))
    if statement is None:
        for start, end in _spans(kept):
            yield from _pieces(stream, start, end)
        return
    for entry in kept:
        raw = b"".join(_pieces(stream, entry.starts_at, entry.ends_at))
        is_wanted = entry.dump_id in ids
        yield _restated(raw, archive, entry, statement) if is_wanted else raw


def _spans(entries: Iterable[Entry]) -> Iterator[tuple[int, int]]:
    """The bytes of the entries, neighbours together: start and end (excluded)."""
    start = end = 0
    for entry in entries:
        if entry.starts_at != end:
            yield start, end
            start = entry.starts_at
        end = entry.ends_at
    yield start, end


def _restated(raw: bytes, archive: Archive, entry: Entry, statement: str) -> bytes:
    start = entry.definition_at - entry.starts_at
    if entry.copy:  # the definition and its DROP come before
        start = _end_of_text(raw, archive, _end_of_text(raw, archive, start))
    end = _end_of_text(raw, archive, start)
    found = raw[start + 1 + archive.integer_width : end]
    there = entry.copy or entry.definition
    if found.decode(archive.codec, "surrogateescape") != there:
        raise ValueError(
            f"entry {entry.dump_id} is not defined at byte {entry.definition_at}"
        )
    new = statement.encode(archive.codec, "surrogateescape")
    return raw[:start] + _integer(archive, len(new)) + new + raw[end:]


def _end_of_text(raw: bytes, archive: Archive, start: int) -> int:
    behind = start + 1 + archive.integer_width
    is_missing = raw[start]  # the sign of a negative length
    length = 0 if is_missing else int.from_bytes(raw[start + 1 : behind], "little")
    return behind + length


def _integer(archive: Archive, number: int) -> bytes:
    return b"\0" + number.to_bytes(archive.integer_width, "little")


def _pieces(stream: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    stream.seek(start)
    while start < end and (piece := stream.read(min(end - start, PIECE))):
        yield piece
        start += len(piece)
