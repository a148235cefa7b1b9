"""The protocol of a dump as the engine reads it: its bytes, while they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Protocol

from dbpull.archive import Archive, Block, Entry, copy, excerpt
from dbpull.shell import Write

PIECE = 256 * 1024


class Listener(Protocol):
    """Is told of a dump's blocks as they arrive."""

    def large(self, dump_id: int, start: int) -> None:
        """A large block has begun to arrive."""

    def arrived(self, block: Block) -> None:
        """A block has arrived."""


class ReadableDump(Protocol):
    """A dump that is arriving, or has arrived."""

    @property
    def contents(self) -> Archive:
        """The dump's header and table of contents."""

    @property
    def total(self) -> int:
        """The dump's size in bytes; 0 while unknown."""

    def open(self) -> BinaryIO:
        """A new stream of the dump; reading waits for bytes that have not arrived."""

    def walk(self, listener: Listener) -> None:
        """Tell the listener of each block. Raises the error that ends the arrival."""


def write_part(
    dump: ReadableDump,
    entries: Sequence[Entry],
    starts: Sequence[tuple[int, int]],
    write: Write,
    statement: str | None = None,
) -> None:
    """Write a dump of these entries: a table of contents, and the blocks at `starts`.

    An end of 0 means a block that is still arriving: walking it finds its end.
    `statement` replaces the definition of a single entry, or the COPY of its rows.
    """
    with dump.open() as stream:
        for piece in excerpt(stream, dump.contents, entries, statement):
            write(piece)
        for start, end in starts:
            if end:
                _copy(stream, start, end, write)
            else:
                copy(stream, dump.contents, start, write)


def _copy(stream: BinaryIO, start: int, end: int, write: Write) -> None:
    stream.seek(start)
    left = end - start
    while left and (piece := stream.read(min(left, PIECE))):
        write(piece)
        left -= len(piece)
