"""The data blocks of a dump: where each begins and ends, and whether one is missing.

A block is a type byte, the dump id of its entry, and chunks: a length and that many
bytes, until a length of zero. All large objects are in one block: an object id and its
chunks for each, until an object id of zero. Nothing is ever decompressed.

Source: _StartData and _readBlockHeader in src/bin/pg_dump/pg_backup_custom.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from types import MappingProxyType
from typing import BinaryIO

from dbpull.archive.toc import Archive, Entry
from dbpull.archive.walk import Kind, Walk
from dbpull.errors.archive import BadDump


@dataclass(frozen=True, slots=True)
class Block:
    """The bytes from `start` up to `end` (excluded) that hold the data of one entry."""

    dump_id: int
    start: int
    end: int
    kind: Kind


Large = Callable[[int, int], object]
"""Called with a block that is still arriving: its entry's dump id, and its start."""


def blocks(
    stream: BinaryIO,
    archive: Archive,
    large: Large | None = None,
    above: int = 0,
    part: tuple[int, Iterable[Entry]] | None = None,
    known: Mapping[int, Block] = MappingProxyType({}),
) -> Iterator[Block]:
    """Walk the data from its start and yield each block as soon as it is complete.

    `large` is called with an incomplete block once more than `above` bytes of it have
    arrived. `stream` must be able to seek; it may still be arriving. After the last
    block the dump is complete: every entry with data had its block. Later bytes are
    ignored, as pg_restore does: pg_dump 16 and newer append the table of contents once
    more where their stdout is a file. Raises TruncatedDump or DamagedDump at the first
    byte that does not fit. `part`: only the blocks of these entries, from an offset on.
    `known`: blocks that were walked before, by their start: they are not read again.
    """
    start, entries = part or (archive.data_start, archive.with_data)
    walk = Walk(stream, start, archive.integer_width)
    missing = {entry.dump_id: entry for entry in entries}
    while missing and walk.more():
        start = walk.offset
        if (block := known.get(start)) and missing.pop(block.dump_id, None):
            walk.go_to(block.end)
            yield block
            continue
        kind = walk.kind()
        dump_id = walk.integer()
        entry = missing.pop(dump_id, None)
        if entry is None:
            walk.damaged(f"a block of entry {dump_id}, which should have none", start)
        walk.where = _within(entry)
        if large:
            walk.tell_of(partial(large, dump_id, start), start + above)
        walk.skip_data(kind)
        walk.tell_of(None, 0)
        yield Block(dump_id, start, walk.offset, kind)
    if missing:
        first = _within(next(iter(missing.values())))
        walk.truncated(f"{len(missing)} blocks are missing, the first {first}")


def verify(stream: BinaryIO, archive: Archive) -> list[Block]:
    """Walk the data to its end and return all blocks. Raises as `blocks`."""
    return list(blocks(stream, archive))


def copy(
    stream: BinaryIO, archive: Archive, start: int, write: Callable[[bytes], object]
) -> None:
    """Write the bytes of the block at `start`, to its end, as they arrive.

    Raises TruncatedDump or DamagedDump.
    """
    walk = Walk(stream, start, archive.integer_width)
    walk.where = "within a block"
    walk.pass_on(write)
    kind = walk.kind()
    walk.integer()
    walk.skip_data(kind)
    walk.pass_rest()


def ends_whole(tail: bytes, archive: Archive) -> bool:
    """Whether a dump with these last bytes ends with its last block.

    False also where the last block is longer than `tail`, or other bytes follow it:
    `tail` then proves nothing.
    """
    last = archive.with_data[-1]  # pg_dump writes blocks in the entries' order
    head = b"\0" + last.dump_id.to_bytes(archive.integer_width, "little")
    at = tail.find(head, 1)
    while at > 0:
        if _ends_at_end(tail, archive, at - 1):
            return True
        at = tail.find(head, at + 1)
    return False


def _ends_at_end(tail: bytes, archive: Archive, start: int) -> bool:
    walk = Walk(BytesIO(tail), start, archive.integer_width)
    try:
        kind = walk.kind()
        walk.integer()
        walk.skip_data(kind)
    except BadDump:  # these bytes only looked like a block
        return False
    return walk.offset == len(tail)


def _within(entry: Entry) -> str:
    if entry.desc == "BLOBS":
        return "within the large objects"
    table = f"{entry.namespace}.{entry.tag}" if entry.namespace else entry.tag
    return f"within the data of {table}"
