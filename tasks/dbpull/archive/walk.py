"""A walk over the bytes of a dump's data: its integers, its chunks, its blocks.

Source: _skipData, _skipLOs and ReadInt in src/bin/pg_dump/pg_backup_custom.c and
pg_backup_archiver.c.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Literal, Never

from dbpull.archive.fields import name_of, reading
from dbpull.errors.archive import DamagedDump, TruncatedDump

PIECE = 1024 * 1024

Kind = Literal["data", "large objects"]
KINDS: dict[int, Kind] = {1: "data", 3: "large objects"}  # BLK_DATA, BLK_BLOBS


class Walk:
    """A position in the data, with one piece of the file in memory.

    Its methods raise TruncatedDump or DamagedDump.
    """

    def __init__(self, stream: BinaryIO, start: int, width: int) -> None:
        self._stream = stream
        self.where = "where the data begins"
        self._name = name_of(stream)
        self._read = reading(stream)
        self._length = 1 + width  # an integer: a sign and its magnitude
        stream.seek(start)
        self._base = start  # the piece's offset in the file
        self._piece = b""
        self._at = 0  # may lie beyond the piece while chunks are skipped
        self._tell: Callable[[], object] | None = None
        self._from = 0
        self._write: Callable[[bytes], object] | None = None
        self._passed = start

    @property
    def offset(self) -> int:
        """The position, in bytes from the file's start."""
        return self._base + self._at

    def go_to(self, offset: int) -> None:
        """Go on at an offset, without reading the bytes in between."""
        self._at = offset - self._base
        if self._at > len(self._piece):
            self._stream.seek(offset)
            self._base, self._piece, self._at = offset, b"", 0

    def tell_of(self, tell: Callable[[], object] | None, offset: int) -> None:
        """Call `tell`, if any, once the walk reads on beyond an offset."""
        self._tell, self._from = tell, offset

    def pass_on(self, write: Callable[[bytes], object]) -> None:
        """Have `write` get the bytes that the walk passes, a piece later."""
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
        """Raise TruncatedDump: the bytes end here."""
        raise TruncatedDump(self._name, self._base + len(self._piece), where)

    def damaged(self, found: str, offset: int) -> Never:
        """Raise DamagedDump: the bytes `found` at an offset can't stand there."""
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
