"""A dump whose bytes can be had, also while they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Protocol

from dbpull.archive import Archive, Block, Entry, copy, excerpt
from dbpull.shell import Write

PIECE = 256 * 1024


class Listener(Protocol):
    """Who wants to know how far a dump has come."""

    def large(self, dump_id: int, start: int) -> None:
        """A block is under way and will be a large one."""

    def arrived(self, block: Block) -> None:
        """A block is there."""


class Incoming(Protocol):
    """A dump that arrives, or has."""

    @property
    def archive(self) -> Archive:
        """Its table of contents."""

    @property
    def total(self) -> int:
        """Its bytes; 0 while that is not known."""

    def open(self) -> BinaryIO:
        """A file of its own that waits for the bytes that are to come."""

    def walk(self, listener: Listener) -> None:
        """Tell of its blocks, up to the dump's end. Raises what ends it before."""


def write_part(
    dump: Incoming,
    entries: Sequence[Entry],
    starts: Sequence[tuple[int, int]],
    write: Write,
    definition: str | None = None,
) -> None:
    """Write a dump of these entries: their contents, and the blocks at `starts`.

    An end of 0 means one that is still arriving: it is found by walking. `definition`
    stands in for that of a single entry.
    """
    with dump.open() as stream:
        write(excerpt(stream, dump.archive, entries, definition))
        for start, end in starts:
            if end:
                _copy(stream, start, end, write)
            else:
                copy(stream, dump.archive, start, write)


def _copy(stream: BinaryIO, start: int, end: int, write: Write) -> None:
    stream.seek(start)
    left = end - start
    while left and (piece := stream.read(min(left, PIECE))):
        write(piece)
        left -= len(piece)
