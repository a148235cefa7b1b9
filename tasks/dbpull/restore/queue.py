"""Which pg_restore may be started next: what has arrived, what waits for what."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from dbpull.archive import Block, Entry
from dbpull.restore.dependencies import Agenda
from dbpull.restore.job import Job
from dbpull.restore.keys import Keys
from dbpull.restore.ready import Ready
from dbpull.restore.turns import Turns

LARGE = 1_000_000
"""Bytes of the dump from which on a table gets pg_restores of its own."""
BATCH, MOST = 4_000_000, 2_500
"""Bytes and tables that share a pg_restore at most."""


@dataclass
class Queue:
    """The jobs of a dump, as they become possible; asked by one thread at a time.

    There may be tens of thousands of tables: nothing here looks at all of them for
    each.
    """

    agenda: Agenda
    jobs: int
    whole: bool = False
    """Whether all blocks are there."""
    edge: Job | None = None
    """The table that arrives right now."""
    sizes: dict[int, int] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    """What has been restored, by dump id."""
    _ready: Ready = field(default_factory=Ready)
    _small: list[Block] = field(default_factory=list)
    _waiting: int = 0
    """Bytes of those."""
    _known: set[int] = field(default_factory=set)
    _loose: bool = False
    _left: int = 0
    """How many tables' rows are not in."""
    _made: set[int] = field(default_factory=set)
    """The keys of tables that are in, where each is a job of its own."""
    _referring: dict[int, list[tuple[Entry, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """The foreign keys of such tables that refer to one that is not, with the rows: by
    the key that they need."""

    def __post_init__(self) -> None:
        self._keys = Keys(self.agenda, self.jobs, self.sizes)
        self._turns = Turns(self.agenda)
        self._left = len(self.agenda.rows)
        first = self.agenda.definitions
        self._first = Job("definitions", first) if first else None
        self._defined = not first

    def large(self, dump_id: int, start: int) -> None:
        """A table of at least LARGE bytes is under way."""
        if dump_id in self.agenda.rows:
            job = self._rows([(dump_id, start, 0)])
            job.arriving = True
            self.edge = job

    def arrived(self, block: Block) -> None:
        """A block is there."""
        size = block.end - block.start
        self.sizes[block.dump_id] = size
        edge, self.edge = self.edge, None
        if block.dump_id not in self.agenda.rows or block.dump_id in self._known:
            return
        if block.dump_id in self._turns:
            self._turns.arrived(block)
        elif edge or size >= LARGE:
            one = self._rows([(block.dump_id, block.start, block.end)])
            self._ready.add(one)
        else:
            self._small.append(block)
            self._waiting += size

    def take(self, running: list[Job]) -> Job | None:
        """The most urgent job that may start beside those; it counts as started."""
        if not self._defined:
            first, self._first = self._first, None
            return first
        self._refill()
        return self._late(running) or self._ready.take(running) or self._batch(running)

    def others(self, running: list[Job], most: int) -> int:
        """How many jobs could be started beside those, counted up to `most`."""
        late = self._turns.due(self.done, LARGE)
        there = bool(self._small) + bool(late)
        return there + self._ready.count(running, most)

    def take_edge(self) -> Job | None:
        """The table that is arriving, to be restored at once."""
        job = self.edge
        if job and self._defined and job.needs <= self.done:
            rows = job.entries[0].dump_id
            if rows in self._turns and not self._turns.is_next(rows, self.done):
                return None
            self.edge = None
            self._known.add(rows)
            return job
        return None

    def finished(self, job: Job) -> None:
        """A job is done: what it was waited for may follow."""
        if job.then:
            self._ready.add(job.then)
            return
        self._defined = True  # nothing else is begun before
        finished = [entry.dump_id for entry in job.entries]
        self.done.update(finished)
        self._ready.finished(finished)
        if job.kind == "rows":
            self._left -= len(job.entries)
            if len(job.entries) == 1:
                self._follow(job.entries[0].dump_id)

    @property
    def rows_are_in(self) -> bool:
        """Whether all tables have their rows."""
        return self.whole and not self._left

    @property
    def empty(self) -> bool:
        """Whether nothing is left but the rest."""
        return self._loose and self.rows_are_in and not self._ready

    def _refill(self) -> None:
        if not self._loose:
            self._loose = True
            if self.agenda.large_objects:
                self._ready.add(Job("definitions", self.agenda.large_objects))
            if self.agenda.without_data:
                blobs = self.agenda.blobs
                self._ready.add(Job("sequences", self.agenda.without_data, needs=blobs))

    def _follow(self, rows: int) -> None:
        """Let keys and indexes be made of a table whose rows are in."""
        for job in self._keys.indexes(rows):
            self._ready.add(job)
        made = [entry.dump_id for entry in self._keys.followers(rows)]
        self._made.update(made)
        for entry in self._keys.references(rows):
            self._refer(entry, rows)
        for key in made:
            for entry, others in self._referring.pop(key, ()):
                self._refer(entry, others)

    def _refer(self, entry: Entry, rows: int) -> None:
        """Let a foreign key be made once both its tables have their rows.

        Where the other's key is left to the rest, so is it.
        """
        missing = self.agenda.keys_of(entry) - self._made
        if missing:
            self._referring[min(missing)].append((entry, rows))
        else:
            self._ready.add(self._keys.reference(entry, rows))

    def _late(self, running: list[Job]) -> Job | None:
        """A job for the rows of late tables, once enough of them have their turn."""
        due = self._turns.due(self.done, LARGE)
        waiting = sum(block.end - block.start for block in due)
        if not due or not (self.edge or self._is_worth(waiting, len(due), running)):
            return None
        self._turns.take(due)
        return self._rows([(b.dump_id, b.start, b.end) for b in due])

    def _batch(self, running: list[Job]) -> Job | None:
        """Small tables together: all that is left, or enough to be worth it."""
        if not self._is_worth(self._waiting, len(self._small), running):
            return None
        ready = [b for b in self._small if self._needed(b.dump_id) <= self.done]
        waiting = sum(block.end - block.start for block in ready)
        share = min(BATCH, max(LARGE // 4, -(-waiting // self.jobs)))
        taken: list[Block] = []
        size = 0
        for block in ready[:MOST]:
            taken.append(block)
            size += block.end - block.start
            if size >= share:
                break
        gone = {block.dump_id for block in taken}
        self._small = [b for b in self._small if b.dump_id not in gone]
        self._waiting -= size
        return (
            self._rows([(b.dump_id, b.start, b.end) for b in taken]) if taken else None
        )

    def _is_worth(self, waiting: int, tables: int, running: list[Job]) -> bool:
        """Whether so much is worth a pg_restore, or nothing more is to come."""
        return self.whole or waiting >= BATCH or tables >= MOST or not running

    def _rows(self, blocks: list[tuple[int, int, int]]) -> Job:
        rows = self.agenda.rows
        size = sum(end - start for _, start, end in blocks if end)
        entries = tuple(rows[dump_id] for dump_id, _, _ in blocks)
        then = 0.0
        if len(blocks) == 1 and size:
            first = blocks[0][0]
            then = max((one.weight for one in self._keys.indexes(first)), default=0)
        return Job(
            "rows",
            entries,
            size + then,
            size,
            tuple((start, end) for _, start, end in blocks),
            needs=self._needed(entries[0].dump_id),
        )

    def _needed(self, rows: int) -> frozenset[int]:
        return self.agenda.needs.get(rows, frozenset())
