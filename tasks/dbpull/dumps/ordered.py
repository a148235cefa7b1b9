"""An arriving dump in another order than its bytes': what has much work comes first.

Where each table about lies is known from the former dump's sizes. A wrong guess costs
time alone: a block counts once it was found and walked, the rest then comes front
first, and in the end the blocks are walked from the front. That walk proves where each
begins; those that were walked before are passed, and must be where it comes to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from dbpull import archive
from dbpull.archive import Archive, Block
from dbpull.errors.archive import BadDump
from dbpull.errors.download import DownloadFailed
from dbpull.restore.arrivals import best_order
from dbpull.restore.dependencies import Dependencies
from dbpull.restore.queue import LARGE
from dbpull.restore.readable import Listener
from dbpull.restore.selection import Selection

WORTH = 4 * 1024 * 1024
"""The least bytes of a table that a stretch begins with."""
MOST = 64
"""About the most stretches of a dump."""
SLACK = 256 * 1024
"""How much a block may lie elsewhere in any case: its rows compress otherwise."""
NARROW, WIDE = 1 / 8, 1.0
"""How much of the growth may lie elsewhere, at the first try and at the second."""


class Anew(DownloadFailed):
    """Rows were restored from bytes that are no block of the dump: start anew."""

    def __init__(self) -> None:
        super().__init__("It changed.", "Run the same command again.")


@dataclass(frozen=True)
class Stretch:
    """A large block and the blocks behind it, up to the next large one."""

    entries: tuple[int, ...]
    former: int
    """The bytes that they had in the former dump."""


def stretches(contents: Archive, former: Mapping[int, int], size: int) -> list[Stretch]:
    """The stretches of a dump of `size` bytes; at most one where little is known."""
    # Bytes of large objects may be anything, even another dump.
    if any(entry.desc != "TABLE DATA" for entry in contents.with_data):
        return []
    growth = size - contents.data_start - sum(former.values())
    if not former or abs(growth) > size // 4:
        return []
    least = max(WORTH, size // MOST)
    groups: list[list[int]] = [[]]
    for entry in contents.with_data:
        if former.get(entry.dump_id, 0) >= least and groups[-1]:
            groups.append([])
        groups[-1].append(entry.dump_id)
    return [
        Stretch(tuple(group), sum(former.get(dump_id, 0) for dump_id in group))
        for group in groups
    ]


def best(
    contents: Archive, selection: Selection, former: Mapping[int, int], size: int
) -> tuple[list[Stretch], list[int]]:
    """The stretches of a dump, and the best order of them; empty: front first."""
    found = stretches(contents, former, size)
    if len(found) < 2:
        return [], []
    dependencies = Dependencies(contents, selection)
    return found, best_order(dependencies, former, [one.entries for one in found])


class Places:
    """The offsets of stretches: known ones, and guesses between these."""

    def __init__(self, found: Sequence[Stretch], start: int, size: int) -> None:
        self._former = [stretch.former for stretch in found]
        self._known = {0: start, len(found): size}

    def learn(self, number: int, start: int) -> None:
        """Note where a stretch begins."""
        self._known[number] = start

    def window(self, number: int, part: float = NARROW) -> tuple[int, int]:
        """The first and the last offset at which a stretch may begin.

        All has grown alike if it lies in the middle. `part` is how much of the growth
        may lie elsewhere.
        """
        if number in self._known:
            return self._known[number], self._known[number]
        before = max(other for other in self._known if other < number)
        behind = min(other for other in self._known if other > number)
        start, end = self._known[before], self._known[behind]
        former = sum(self._former[before:behind]) or 1
        middle = start + (end - start) * sum(self._former[before:number]) // former
        spread = SLACK + int(abs(end - start - former) * part)
        return max(start, middle - spread), min(end, middle + spread)


class OrderedWalk:
    """The walk over an arriving dump in another order, then once more from its front.

    The listener is told of each block once. `prefer` is called with the ranges that
    are to come first: each a start and an end (excluded).
    """

    def __init__(
        self,
        contents: Archive,
        found: Sequence[Stretch],
        size: int,
        listener: Listener,
        prefer: Callable[[Sequence[tuple[int, int]]], None],
    ) -> None:
        self._contents, self._stretches = contents, found
        self._listener, self._prefer = listener, prefer
        self._places = Places(found, contents.data_start, size)
        self._begun: dict[int, int] = {}
        self._told: dict[int, Block] = {}

    def walk(self, stream: BinaryIO, order: Sequence[int]) -> list[Block]:
        """Walk the stretches in an order, then all blocks from the front.

        Raises BadDump as `archive.blocks`; and Anew, where what was told was no block.
        """
        try:
            found = all(self._walk(stream, order[at:]) for at in range(len(order)))
        except BadDump:  # judged by the walk from the front, as the first damage
            found = False
        if not found:
            self._prefer(())
        blocks = []
        known = {block.start: block for block in self._told.values()}
        for block in archive.blocks(
            stream, self._contents, self.large, LARGE, known=known
        ):
            self.arrived(block)
            blocks.append(block)
        return blocks

    def large(self, dump_id: int, start: int) -> None:
        """A large block has begun to arrive."""
        is_new = dump_id not in self._begun
        if self._begun.setdefault(dump_id, start) != start:
            raise Anew
        if is_new:
            self._listener.large(dump_id, start)

    def arrived(self, block: Block) -> None:
        """A block has arrived."""
        is_where_it_began = self._begun.get(block.dump_id, block.start) == block.start
        if not is_where_it_began or self._told.get(block.dump_id, block) != block:
            raise Anew
        if block.dump_id not in self._told:
            self._told[block.dump_id] = block
            self._listener.arrived(block)

    def _walk(self, stream: BinaryIO, order: Sequence[int]) -> bool:
        """Walk the first stretch of an order; False where it is not to be found."""
        number = order[0]
        start = self._find(stream, order)
        if start is None:
            return False
        self._places.learn(number, start)
        ids = self._stretches[number].entries
        part = start, [self._contents.by_id[dump_id] for dump_id in ids]
        for block in archive.blocks(stream, self._contents, self.large, LARGE, part):
            self.arrived(block)
            self._places.learn(number + 1, block.end)
        return True

    def _find(self, stream: BinaryIO, order: Sequence[int]) -> int | None:
        """Where the first stretch of an order begins."""
        number = order[0]
        head = self._stretches[number].entries[0]
        for part in (NARROW, WIDE):
            first, last = self._places.window(number, part)
            ranges = [self._range(other) for other in order]
            self._prefer([(first, ranges[0][1]), *ranges])
            if first == last:
                return first
            start = archive.find(stream, self._contents, head, first, last)
            if start is not None:
                return start
        return None

    def _range(self, number: int) -> tuple[int, int]:
        return self._places.window(number)[0], self._places.window(number + 1)[1]
