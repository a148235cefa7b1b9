"""pg_dump's custom format: header, table of contents, where each table's data lies.

Reads archive versions 1.14 (pg_dump 12 to 15), 1.15 (16) and 1.16 (17, 18) from any
binary stream that can seek, even one that is still arriving, without decompressing::

    contents = archive.read(stream)
    for block in archive.blocks(stream, contents):
        ...
"""

from __future__ import annotations

from dbpull.archive.data import Block, blocks, copy, ends_whole, verify
from dbpull.archive.encodings import unknown
from dbpull.archive.excerpt import excerpt
from dbpull.archive.finding import find
from dbpull.archive.header import RECOGNISABLE, Header, recognise
from dbpull.archive.rows import first_rows
from dbpull.archive.toc import (
    IDENTIFIER,
    Archive,
    Entry,
    Extension,
    read,
    unquoted,
)

__all__ = [
    "IDENTIFIER",
    "RECOGNISABLE",
    "Archive",
    "Block",
    "Entry",
    "Extension",
    "Header",
    "blocks",
    "copy",
    "ends_whole",
    "excerpt",
    "find",
    "first_rows",
    "read",
    "recognise",
    "unknown",
    "unquoted",
    "verify",
]
