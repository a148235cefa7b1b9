"""Late rows: their table's checks may read others, so all earlier rows come first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from dbpull.archive import Block
from dbpull.restore.dependencies import Dependencies


class Turns:
    """Late rows in the dump's order, in which a serial pg_restore checks them."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._late = dependencies.late
        self._order = tuple(dependencies.rows)
        self._at = 0
        """The position in the order before which all rows are restored."""
        self._arrived: dict[int, Block] = {}

    def __contains__(self, dump_id: int) -> bool:
        return dump_id in self._late

    def arrived(self, block: Block) -> None:
        """Note that a block of late rows has arrived."""
        self._arrived[block.dump_id] = block

    def is_next(self, dump_id: int, done: Collection[int]) -> bool:
        """Whether all rows before these are restored."""
        self._advance(done)
        return self._order[self._at : self._at + 1] == (dump_id,)

    def due(self, done: Collection[int], large: int) -> list[Block]:
        """The blocks that one pg_restore may restore now, in this order.

        A table of at least `large` bytes gets a pg_restore of its own.
        """
        found: list[Block] = []
        for block in self._due(done):
            if block.end - block.start >= large:
                return found or [block]
            found.append(block)
        return found

    def take(self, blocks: Collection[Block]) -> None:
        """Note that these blocks are being restored."""
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
