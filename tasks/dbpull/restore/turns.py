"""Rows whose table's checks may read others: they come when all before them are in."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from dbpull.archive import Block
from dbpull.restore.dependencies import Agenda


class Turns:
    """Such rows in the dump's order, in which a serial pg_restore has them checked."""

    def __init__(self, agenda: Agenda) -> None:
        self._late = agenda.late
        self._order = tuple(agenda.rows)
        self._at = 0
        """All before that are in."""
        self._arrived: dict[int, Block] = {}

    def __contains__(self, dump_id: int) -> bool:
        return dump_id in self._late

    def arrived(self, block: Block) -> None:
        """A block of such rows is there."""
        self._arrived[block.dump_id] = block

    def is_next(self, dump_id: int, done: Collection[int]) -> bool:
        """Whether all rows before these are in."""
        self._advance(done)
        return self._order[self._at : self._at + 1] == (dump_id,)

    def due(self, done: Collection[int], large: int) -> list[Block]:
        """What one pg_restore may restore now, in this order.

        A table of so many bytes gets one of its own.
        """
        found: list[Block] = []
        for block in self._due(done):
            if block.end - block.start >= large:
                return found or [block]
            found.append(block)
        return found

    def take(self, blocks: Collection[Block]) -> None:
        """These are being restored."""
        for block in blocks:
            del self._arrived[block.dump_id]

    def _due(self, done: Collection[int]) -> Iterator[Block]:
        self._advance(done)
        for dump_id in islice(self._order, self._at, None) if self._arrived else ():
            if dump_id in self._arrived:
                yield self._arrived[dump_id]
            elif dump_id not in done:
                return

    def _advance(self, done: Collection[int]) -> None:
        while self._at < len(self._order) and self._order[self._at] in done:
            self._at += 1
