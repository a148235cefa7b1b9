"""The data blocks of a dump: where each begins and ends, and whether one is missing.

A block is a type byte, the dump id of its entry, and chunks: a length and that many
bytes, until a length of zero. All large objects are in one block: an object id and its
chunks for each, until an object id of zero. Nothing is ever decompressed.

Source: _StartData, _skipData, _skipLOs and _readBlockHeader in
src/bin/pg_dump/pg_backup_custom.c.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import BinaryIO, Literal, Never

from dbpull.archive.fields import name_of, reading
from dbpull.archive.toc import Archive, Entry
from dbpull.errors.archive import BadDump, DamagedDump, TruncatedDump

PIECE = 1024 * 1024

Kind = Literal["data", "large objects"]
KINDS: dict[int, Kind] = {1: "data", 3: "large objects"}  # BLK_DATA, BLK_BLOBS


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
    stream: BinaryIO, archive: Archive, large: Large | None = None, above: int = 0
) -> Iterator[Block]:
    """Walk the data from its start and yield each block as soon as it is complete.

    `large` is called with an incomplete block once more than `above` bytes of it have
    arrived. `stream` must be able to seek; it may still be arriving. After the last
    block the dump is complete: every entry with data had its block. Later bytes are
    ignored, as pg_restore does: pg_dump 16 and newer append the table of contents once
    more where their stdout is a file. Raises TruncatedDump or DamagedDump at the first
    byte that does not fit.
    """
    walk = _Walk(stream, archive.data_start, archive.integer_width)
    missing = {entry.dump_id: entry for entry in archive.with_data}
    while missing and walk.more():
        start = walk.offset
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
    walk = _Walk(stream, start, archive.integer_width)
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
    walk = _Walk(BytesIO(tail), start, archive.integer_width)
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


class _Walk:
    """A position in the data, with one piece of the file in memory."""

    def __init__(self, stream: BinaryIO, start: int, width: int) -> None:
        stream.seek(start)
        self.where = "where the data begins"
        self._name = name_of(stream)
        self._read = reading(stream)
        self._length = 1 + width  # an integer: a sign and its magnitude
        self._base = start  # the piece's offset in the file
        self._piece = b""
        self._at = 0  # may lie beyond the piece while chunks are skipped
        self._tell: Callable[[], object] | None = None
        self._from = 0
        self._write: Callable[[bytes], object] | None = None
        self._passed = start

    @property
    def offset(self) -> int:
        return self._base + self._at

    def tell_of(self, tell: Callable[[], object] | None, offset: int) -> None:
        """Call `tell`, if any, once the walk reads on beyond an offset."""
        self._tell, self._from = tell, offset

    def pass_on(self, write: Callable[[bytes], object]) -> None:
        """Write the bytes that the walk passes, one piece behind it."""
        self._write = write

    def pass_rest(self) -> None:
        """Write the passed bytes that have not been written yet."""
        if self._write:
            self._write(self._piece[self._passed - self._base : self._at])

    def more(self) -> bool:
        """Whether another byte follows."""
        return self._reach(1)

    def kind(self) -> Kind:
        """Read a block's type byte."""
        self._need(1)
        kind = self._piece[self._at]
        if kind not in KINDS:
            self.damaged(f"byte {kind} where a block should begin", self.offset)
        self._at += 1
        return KINDS[kind]

    def integer(self, *, signed: bool = False) -> int:
        """Read an integer; `signed` allows a sign, for oids that exceed C's int."""
        self._need(self._length)
        start, self._at = self._at, self._at + self._length
        if self._piece[start] > signed:
            self.damaged("a negative number", self._base + start)
        return int.from_bytes(self._piece[start + 1 : self._at], "little")

    def skip_data(self, kind: Kind) -> None:
        """Skip the data of a block of some kind."""
        if kind == "data":
            self.skip_chunks()
            return
        while self.integer(signed=True):
            self.skip_chunks()

    def skip_chunks(self) -> None:
        """Skip chunks and the length of zero after them. This loop must be fast."""
        number, length = int.from_bytes, self._length
        while True:
            self._need(length)
            piece, at = self._piece, self._at
            last = len(piece) - length
            while at <= last:
                if piece[at]:
                    self.damaged("a negative length", self._base + at)
                chunk = number(piece[at + 1 : at + length], "little")
                at += length + chunk
                if not chunk:
                    self._at = at
                    return
            self._at = at

    def truncated(self, where: str) -> Never:
        raise TruncatedDump(self._name, self._base + len(self._piece), where)

    def damaged(self, found: str, offset: int) -> Never:
        raise DamagedDump(self._name, offset, f"{found}, {self.where}")

    def _need(self, count: int) -> None:
        if not self._reach(count):
            self.truncated(self.where)

    def _reach(self, count: int) -> bool:
        """Read on until `count` bytes from here are in the piece; False at the end."""
        while len(self._piece) - self._at < count:
            unread = self._piece[self._at :]
            self._before_reading()
            more = self._read(PIECE)
            if not more:
                return False
            skipped = len(self._piece) - len(unread)
            self._base += skipped
            self._at -= skipped
            self._piece = unread + more if unread else more
        return True

    def _before_reading(self) -> None:
        end = self._base + len(self._piece)
        if self._write and end > self._passed:
            self._write(self._piece[self._passed - self._base :])
            self._passed = end
        if self._tell and end > self._from:
            tell, self._tell = self._tell, None
            tell()
