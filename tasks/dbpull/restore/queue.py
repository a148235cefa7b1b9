"""Which pg_restore may be started next: what has arrived, what waits for what."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace

from dbpull.archive import Block, Entry
from dbpull.restore.agenda import Agenda
from dbpull.restore.halves import halves
from dbpull.restore.job import Job, Lock
from dbpull.restore.weight import weight

LARGE = 1_000_000
"""Bytes of the dump from which on a table gets pg_restores of its own."""
BATCH, MOST = 4_000_000, 2_500
"""Bytes and tables that share a pg_restore at most."""

WORTH = 1_000_000
"""How heavy a key is, in bytes of the dump, that is worth another pg_restore."""


@dataclass
class Queue:
    """The jobs of a dump, as they become possible; asked by one thread at a time."""

    agenda: Agenda
    jobs: int
    whole: bool = False
    """Whether all blocks are there."""
    edge: Job | None = None
    """The table that arrives right now."""
    sizes: dict[int, int] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    """What has been restored, by dump id."""
    _ready: list[Job] = field(default_factory=list)
    _small: list[Block] = field(default_factory=list)
    _known: set[int] = field(default_factory=set)
    _loose: bool = False
    _keys: set[int] = field(default_factory=set)
    """The keys of tables that are in, where each is a job of its own."""
    _referring: list[tuple[Entry, int]] = field(default_factory=list)
    """The foreign keys of such tables that refer to one that is not, with the rows."""

    def __post_init__(self) -> None:
        self._expected: set[int] = set()
        self._first: Job | None = None
        if self.agenda.definitions:
            self._first = Job("definitions", self.agenda.definitions)
            self._expected = {e.dump_id for e in self.agenda.definitions}

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
        if edge or size >= LARGE:
            one = self._rows([(block.dump_id, block.start, block.end)])
            self._ready.append(one)
        else:
            self._small.append(block)

    def take(self, running: list[Job]) -> Job | None:
        """The most urgent job that may start beside those; it counts as started."""
        if not self._expected <= self.done:
            first, self._first = self._first, None
            return first
        self._refill()
        if free := self._free(running):
            form, job = max(free, key=lambda pair: max(one.weight for one in pair))
            self._ready.remove(job)
            return form
        return self._batch(running)

    def others(self, running: list[Job]) -> int:
        """How many jobs could be started beside those."""
        return len(self._free(running)) + bool(self._small)

    def take_edge(self) -> Job | None:
        """The table that is arriving, to be restored at once."""
        job = self.edge
        if job and self._expected <= self.done and job.needs <= self.done:
            self.edge = None
            self._known.add(job.entries[0].dump_id)
            return job
        return None

    def finished(self, job: Job) -> None:
        """A job is done: what it was waited for may follow."""
        if job.then:
            self._ready.append(job.then)
            return
        self.done.update(entry.dump_id for entry in job.entries)
        if job.kind == "rows" and len(job.entries) == 1:
            rows = job.entries[0].dump_id
            self._ready.extend(self._indexes(rows))
            self._keys.update(entry.dump_id for entry in self._followers(rows))
            self._referring.extend((one, rows) for one in self._references(rows))
            self._refer()

    @property
    def rows_are_in(self) -> bool:
        """Whether all tables have their rows."""
        return self.whole and set(self.agenda.rows) <= self.done

    @property
    def empty(self) -> bool:
        """Whether nothing is left but the rest."""
        return self._loose and self.rows_are_in and not self._ready

    def _refill(self) -> None:
        if not self._loose:
            self._loose = True
            if self.agenda.large_objects:
                self._ready.append(Job("definitions", self.agenda.large_objects))
            if self.agenda.loose:
                blobs = self.agenda.blobs
                self._ready.append(Job("sequences", self.agenda.loose, needs=blobs))

    def _refer(self) -> None:
        """Let foreign keys be made of whose two tables both have their rows.

        Where the other's key is left to the rest, so are they.
        """
        left = []
        for entry, rows in self._referring:
            if self.agenda.keys_of(entry) <= self._keys:
                self._ready.append(self._reference(entry, rows))
            else:
                left.append((entry, rows))
        self._referring = left

    def _free(self, running: list[Job]) -> list[tuple[Job, Job]]:
        """What may start beside those: in which form, and the job that it is of."""
        wanted = Counter(one for job in (*self._ready, *running) for one in job.locks)
        indexed = {i for job in self._ready if job.kind == "index" for i in job.locks}
        forms = ((_form(job, wanted), job) for job in self._ready)
        return [
            (form, job)
            for form, job in forms
            if form.needs <= self.done
            and not any(map(form.keeps_out, running))
            # In one piece it would keep indexes waiting that are yet to begin.
            and not (form.is_whole_reference and indexed.intersection(form.locks))
        ]

    def _batch(self, running: list[Job]) -> Job | None:
        """Small tables together: all that is left, or enough to be worth it."""
        ready = [b for b in self._small if self._needed(b) <= self.done]
        waiting = sum(block.end - block.start for block in ready)
        if not ready or not (
            self.whole or waiting >= BATCH or len(ready) >= MOST or not running
        ):
            return None
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
        return self._rows([(b.dump_id, b.start, b.end) for b in taken])

    def _rows(self, blocks: list[tuple[int, int, int]]) -> Job:
        rows = self.agenda.rows
        size = sum(end - start for _, start, end in blocks if end)
        entries = tuple(rows[dump_id] for dump_id, _, _ in blocks)
        then = 0.0
        if len(blocks) == 1 and size:
            then = max((one.weight for one in self._indexes(blocks[0][0])), default=0)
        return Job(
            "rows",
            entries,
            size + then,
            size,
            tuple((start, end) for _, start, end in blocks),
            needs=frozenset(self.agenda.needed_rows(entries[0].dump_id)),
        )

    def _indexes(self, rows: int) -> list[Job]:
        """Keys and indexes of that table. What locks all others out comes first.

        Its foreign keys follow, one by one: what they wait for is to be begun early.
        """
        size = self.sizes.get(rows, 0)
        found = [self._index(entry, size) for entry in self._followers(rows)]
        for job in found:
            job.weight += self._referring_weight(rows)
        lonely = [job for job in found if job.is_lonely]
        after = max((job.weight for job in found if not job.is_lonely), default=0.0)
        for job in sorted(lonely, key=lambda one: one.weight):
            job.weight = after = job.weight + after
        return found

    def _index(self, entry: Entry, size: int) -> Job:
        lock = Lock.INDEXED if entry.desc == "INDEX" else Lock.ALTERED
        locks = dict.fromkeys(self.agenda.tables_of(entry), lock)
        built = dict.fromkeys(locks, Lock.INDEXED)
        whole = Job("index", (entry,), self._weight(entry, size), locks=locks)
        return self._halved(whole, (whole.weight, built), (math.inf, locks))

    def _reference(self, entry: Entry, rows: int) -> Job:
        own = self.agenda.table_of[rows]
        locks = dict.fromkeys(self.agenda.tables_of(entry), Lock.DECLARED)
        validated = dict.fromkeys(locks, Lock.REFERRED) | {own: Lock.VALIDATED}
        size = self._weight(entry, self.sizes.get(rows, 0))
        all_of_it = self._referring_weight(rows)
        needs = self.agenda.keys_of(entry)
        whole = Job("reference", (entry,), size, locks=locks, needs=needs)
        return self._halved(whole, (math.inf, locks), (all_of_it, validated))

    def _halved(self, whole: Job, *how: tuple[float, dict[int, Lock]]) -> Job:
        """It, with its halves where it has any; of each its weight and its locks."""
        worth = self.jobs > 1 and whole.weight >= WORTH
        statements = halves(self.agenda.archive, whole.entries[0]) if worth else None
        if statements:
            first, second = (
                replace(whole, weight=heavy, locks=locks, statement=statement)
                for (heavy, locks), statement in zip(how, statements, strict=True)
            )
            first.then = second
            whole.halves = first, second
        return whole

    def _referring_weight(self, rows: int) -> float:
        size = self.sizes.get(rows, 0)
        return sum(self._weight(one, size) for one in self._references(rows))

    def _weight(self, entry: Entry, size: int) -> float:
        return weight(self.agenda.archive, entry, size)

    def _followers(self, rows: int) -> list[Entry]:
        return self.agenda.followers.get(self.agenda.table_of[rows], [])

    def _references(self, rows: int) -> list[Entry]:
        return self.agenda.references.get(self.agenda.table_of[rows], [])

    def _needed(self, block: Block) -> set[int]:
        return self.agenda.needed_rows(block.dump_id)


def _form(job: Job, wanted: Counter[int]) -> Job:
    """Its first half where others want its tables too, else the whole at once."""
    if job.halves and any(wanted[table] > 1 for table in job.locks):
        return job.halves[0]
    return job
