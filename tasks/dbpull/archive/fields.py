"""The integers and strings of pg_dump's custom format, read from a stream.

Source: ReadInt, ReadStr and ReadOffset in src/bin/pg_dump/pg_backup_archiver.c.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, Never, cast

from dbpull.errors.archive import DamagedDump, TruncatedDump
from dbpull.native import legible

PIECE = 64 * 1024
# The longest text in a table of contents is a function's body or a view's query.
LONGEST_TEXT = 64 * 1024 * 1024


def name_of(stream: BinaryIO) -> str:
    """Return the stream's name in errors: its path, or "the dump"."""
    name = getattr(stream, "name", None)
    return legible(name) if isinstance(name, str) else "the dump"


def reading(stream: BinaryIO) -> Callable[[int], bytes]:
    """Return the stream's method that reads the bytes at hand, up to n.

    A dump that is still arriving is thus read as it comes, not a full piece later.
    """
    return cast("Callable[[int], bytes]", getattr(stream, "read1", stream.read))


class Fields:
    """Reads one field after the other, and counts the bytes.

    `where` names the part being read, for errors. The header tells the widths, in
    bytes.
    """

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self.name = name_of(stream)
        self.where = where
        self.integer_width = 4
        self.offset_width = 8
        self._read = reading(stream)
        self._buffer = bytearray()
        self._at = 0
        self._base = 0
        self._shared: dict[str | None, str | None] = {}

    @property
    def offset(self) -> int:
        """The offset of the next byte to read, from the stream's start."""
        return self._base + self._at

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes. Raises TruncatedDump."""
        while len(self._buffer) - self._at < count:
            self._more()
        taken = bytes(self._buffer[self._at : self._at + count])
        self._at += count
        return taken

    def peek(self, count: int) -> bytes:
        """Return up to `count` bytes without moving; fewer where the stream ends."""
        try:
            start = self.take(count)
        except TruncatedDump:
            return bytes(self._buffer[self._at :])
        self._at -= count
        return start

    def byte(self) -> int:
        """Read one byte."""
        return self.take(1)[0]

    def integer(self) -> int:
        """Read a sign byte and a little-endian magnitude."""
        start = self.offset
        sign, *_ = field = self.take(1 + self.integer_width)
        if sign > 1:
            self.damaged(f"{sign} is no sign", start)
        magnitude = int.from_bytes(field[1:], "little")
        return -magnitude if sign else magnitude

    def text(self) -> str | None:
        """Read a length and that many bytes; a negative length is None.

        Bytes that are not UTF-8 (a dump in LATIN1) survive as lone surrogates.
        """
        start = self.offset
        length = self.integer()
        if length < 0:
            return None
        if length > LONGEST_TEXT:
            self.damaged(f"a text of {length} bytes", start)
        return self.take(length).decode("utf-8", "surrogateescape")

    def shared_text(self) -> str | None:
        """Read a text that many entries have, an owner or a kind: it is kept once."""
        text = self.text()
        return self._shared.setdefault(text, text)

    def number(self) -> int | None:
        """Read a number that is written as text: an id. None ends a list of them."""
        start = self.offset
        text = self.text()
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) <= 10):
            self.damaged("a word where a number should be", start)
        return int(text)

    def damaged(self, found: str, offset: int) -> Never:
        """Raise DamagedDump for the bytes `found` at `offset`."""
        raise DamagedDump(self.name, offset, f"{found} in {self.where}")

    def _more(self) -> None:
        piece = self._read(PIECE)
        if not piece:
            end = self._base + len(self._buffer)
            raise TruncatedDump(self.name, end, f"within {self.where}")
        del self._buffer[: self._at]
        self._buffer += piece
        self._base += self._at
        self._at = 0
