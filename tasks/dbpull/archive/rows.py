"""The first rows of a table in a dump, as COPY wrote them.

Source: _WriteData in src/bin/pg_dump/pg_backup_custom.c; CopyAttributeOutText in
src/backend/commands/copyto.c.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from typing import BinaryIO

from dbpull.archive.data import Block
from dbpull.archive.fields import Fields
from dbpull.archive.toc import IDENTIFIER, Archive, unquoted

READABLE = frozenset({"none", "gzip"})
"""The compressions that are read here."""
_MOST_BYTES = 4_000_000
_COPY = re.compile(
    rf"COPY (?:{IDENTIFIER}\.)?{IDENTIFIER} \((.+)\) FROM stdin", re.DOTALL
)
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def first_rows(
    stream: BinaryIO, archive: Archive, block: Block, most: int
) -> Mapping[str, list[str | None]]:
    """The values of each column in a block's first rows.

    Empty where they can't be read: another compression, rows as INSERT. Raises
    TruncatedDump, DamagedDump.
    """
    copy = _COPY.match(archive.by_id[block.dump_id].copy)
    if not copy or archive.header.compression not in READABLE:
        return {}
    columns = [unquoted(name) for name in re.findall(IDENTIFIER, copy[1])]
    stream.seek(block.start)
    text = _text(Fields(stream, "the rows"), archive, most)
    lines = text.decode(archive.codec, "replace").split("\n")[:-1][:most]
    rows = [line.split("\t") for line in lines if line != "\\."]
    return {
        column: [_value(row[at]) for row in rows if len(row) == len(columns)]
        for at, column in enumerate(columns)
    }


def _text(fields: Fields, archive: Archive, most: int) -> bytes:
    """The text of the first lines of a block."""
    inflate: Callable[[bytes], bytes] = bytes
    if archive.header.compression == "gzip":
        inflate = zlib.decompressobj().decompress
    fields.integer_width = archive.integer_width
    fields.byte()  # the kind of block
    fields.integer()  # its dump id
    text = bytearray()
    while text.count(b"\n") < most and len(text) < _MOST_BYTES:
        if not (length := fields.integer()):
            break
        text += inflate(fields.take(length))
    return bytes(text)


def _value(written: str) -> str | None:
    if written == "\\N":
        return None
    return re.sub(r"\\(.)", lambda one: _ESCAPES.get(one[1], one[1]), written)
