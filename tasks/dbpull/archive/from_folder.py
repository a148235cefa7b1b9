"""pg_dump's custom format, made of the files of its directory format.

Both hold the same: the directory format has a file where the custom format has a block.
Source: src/bin/pg_dump/pg_backup_directory.c, pg_backup_custom.c, compress_gzip.c.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from dbpull.archive.header import CUSTOM
from dbpull.archive.toc import Entry, read
from dbpull.errors.archive import TruncatedDump

PIECE = 256 * 1024
_OFFSET_WIDTH_AT, _FORMAT_AT = 9, 10
_NOT_SET, _NO_DATA = 1, 3
"""The states of an offset: a dump that is written through a pipe has none."""
_DATA, _LARGE_OBJECTS = b"\x01", b"\x03"
_SUFFIXES = {"none": "", "gzip": ".gz", "lz4": ".lz4", "zstd": ".zst"}
_GZIP_HEAD, _GZIP_TAIL = 10, 8
"""gzopen writes neither a name nor a comment into the head (zlib's gzwrite.c)."""
_ZLIB_HEAD = b"\x78\x01"
_OID_SIGN = 1 << 31


Growing = Callable[[], bool]
"""Waits for more of a growing file; False once the file is whole."""


def _is_whole() -> bool:
    return False


class FolderFiles:
    """A dump in directory format, whose table of contents is whole. Raises BadDump."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._toc = (folder / "toc.dat").read_bytes()
        self._contents = read(BytesIO(self._toc), toc=True)
        self._left = {entry.dump_id: entry for entry in self._contents.with_data}

    def front(self) -> bytes:
        """The header and the table of contents, in custom format."""
        first = self._contents.entries[0].starts_at
        head = bytearray(self._toc[:first])
        head[_FORMAT_AT] = CUSTOM
        nowhere = bytes(head[_OFFSET_WIDTH_AT])
        pieces = [bytes(head)]
        for entry in self._contents.entries:
            state = _NOT_SET if entry.had_data else _NO_DATA
            pieces.append(self._toc[entry.starts_at : entry.place_at])
            pieces.append(bytes([state]) + nowhere)
        return b"".join(pieces)

    @property
    def last(self) -> int | None:
        """The only entry whose block has not been asked for, with its file begun.

        None where there are others, and of large objects: they have many files.
        """
        if len(self._left) != 1:
            return None
        [entry] = self._left.values()
        is_begun = entry.desc != "BLOBS" and self._path(self._named(entry)).exists()
        return entry.dump_id if is_begun else None

    def rest(self) -> Iterator[bytes]:
        """The blocks that have not been asked for, once all files are whole."""
        for dump_id in [*self._left]:
            yield from self.block(dump_id)

    def block(self, dump_id: int, growing: Growing = _is_whole) -> Iterator[bytes]:
        """The block of an entry whose file is whole, or `growing`; it is removed then.

        Nothing for an entry without data. Raises TruncatedDump, and what `growing`
        raises: the block then stays without its end.
        """
        if entry := self._left.pop(dump_id, None):
            yield from self._block(entry, growing)

    def _block(self, entry: Entry, growing: Growing) -> Iterator[bytes]:
        if entry.desc != "BLOBS":
            yield _DATA + self._integer(entry.dump_id)
            yield from self._chunks(self._named(entry), growing)
            return
        yield _LARGE_OBJECTS + self._integer(entry.dump_id)
        listed = self._folder / self._named(entry)
        for line in listed.read_text("ascii").splitlines():
            oid, _, name = line.partition(" ")
            yield self._oid(int(oid))
            yield from self._chunks(name, _is_whole)
        yield self._integer(0)
        listed.unlink()

    def _named(self, entry: Entry) -> str:
        """The file of an entry; a length stands before its name."""
        behind = entry.place_at + 1 + self._contents.integer_width
        return self._toc[behind : entry.ends_at].decode("ascii")

    def _chunks(self, name: str, growing: Growing) -> Iterator[bytes]:
        path = self._path(name)
        with path.open("rb") as file:
            pieces = _pieces(file, growing)
            if self._contents.header.compression == "gzip":
                pieces = zlib_pieces(pieces, str(path))
            for piece in pieces:
                yield self._integer(len(piece)) + piece
        yield self._integer(0)
        path.unlink()

    def _path(self, name: str) -> Path:
        return self._folder / (name + _SUFFIXES[self._contents.header.compression])

    def _integer(self, number: int) -> bytes:
        return b"\0" + number.to_bytes(self._contents.integer_width, "little")

    def _oid(self, oid: int) -> bytes:
        """An oid, which pg_dump writes as C's int: large ones are negative."""
        if oid < _OID_SIGN:
            return self._integer(oid)
        return b"\1" + self._integer(2 * _OID_SIGN - oid)[1:]


def _pieces(file: BinaryIO, growing: Growing) -> Iterator[bytes]:
    more = True
    while more:
        more = growing()
        while piece := file.read(PIECE):
            yield piece


def zlib_pieces(packed: Iterable[bytes], name: str) -> Iterator[bytes]:
    """A gzip'ed file's pieces as a zlib stream, which has another head and checksum.

    The bytes between are the same: they are unpacked for the checksum alone. Raises
    TruncatedDump, with the file's name.
    """
    unpacking, checksum, count = zlib.decompressobj(wbits=-zlib.MAX_WBITS), 1, 0
    yield _ZLIB_HEAD
    for piece in _between(packed):
        count += len(piece)
        yield piece
        left = piece
        while left:
            checksum = zlib.adler32(unpacking.decompress(left, 4 * PIECE), checksum)
            left = unpacking.unconsumed_tail
    if not unpacking.eof:
        raise TruncatedDump(name, _GZIP_HEAD + count, "within packed rows")
    yield checksum.to_bytes(4, "big")


def _between(packed: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes between head and tail of a gzip'ed file."""
    skip, held = _GZIP_HEAD, b""
    for piece in packed:
        held += piece[skip:]
        skip -= min(skip, len(piece))
        if ready := held[:-_GZIP_TAIL]:
            yield ready
        held = held[-_GZIP_TAIL:]
