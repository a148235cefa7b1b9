"""A block found by its first bytes, in a dump whose earlier blocks are not there yet.

A block begins with its type and the dump id of its entry, behind the length of zero
that ends the block before. Then come the first chunk's length and, in it, the first
bytes of the compression. COPY's text has no byte of zero, so that no row looks so.
"""

from __future__ import annotations

from typing import BinaryIO

from dbpull.archive.toc import Archive

STEP = 64 * 1024
DATA = b"\1"  # BLK_DATA
MAGIC = {"none": b"", "lz4": b"\x04\x22\x4d\x18", "zstd": b"\x28\xb5\x2f\xfd"}
MOST = 4
"""The most bytes that a compression begins with."""


def find(
    stream: BinaryIO, archive: Archive, dump_id: int, first: int, last: int
) -> int | None:
    """The offset of an entry's block, from `first` to `last`; None: it is not there.

    `stream` may still be arriving: the bytes from `first` on are waited for.
    """
    length = 1 + archive.integer_width
    head = bytes(length) + DATA + b"\0" + dump_id.to_bytes(length - 1, "little")
    unread = len(head) + length + MOST
    base, piece = max(first - length, 0), b""
    stream.seek(base)
    while base + length <= last and (more := stream.read(STEP)):
        piece += more
        at = piece.find(head)
        while 0 <= at <= len(piece) - unread and base + at + length <= last:
            if _begins(piece[at + len(head) : at + unread], archive):
                return base + at + length
            at = piece.find(head, at + 1)
        base += max(0, len(piece) - unread)
        piece = piece[-unread:]
    return None


def _begins(following: bytes, archive: Archive) -> bool:
    """Whether a chunk's length and the compression's first bytes follow."""
    length = 1 + archive.integer_width
    sign, *magnitude = following[:length]
    return not sign and any(magnitude) and _compressed(following[length:], archive)


def _compressed(chunk: bytes, archive: Archive) -> bool:
    kind = archive.header.compression
    if kind == "gzip":  # zlib's header (RFC 1950, 2.2)
        return chunk[0] & 15 == 8 and int.from_bytes(chunk[:2], "big") % 31 == 0
    return chunk.startswith(MAGIC[kind])
