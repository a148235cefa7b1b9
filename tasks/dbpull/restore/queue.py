"""Which pg_restore may be started next: what has arrived, what waits for what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from dbpull.archive import Block, Entry
from dbpull.restore.agenda import Agenda, Job, weight

LARGE = 1_000_000
"""Bytes of the dump from which on a table gets pg_restores of its own."""
BATCH, MOST = 4_000_000, 2_500
"""Bytes and tables that share a pg_restore at most."""


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
    _referred: bool = False

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
        free = [job for job in self._ready if self._may_start(job, running)]
        if free:
            job = max(free, key=lambda one: one.weight)
            self._ready.remove(job)
            return job
        return self._batch(running)

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
        self.done.update(entry.dump_id for entry in job.entries)
        if job.kind == "rows" and len(job.entries) == 1:
            rows = job.entries[0].dump_id
            self._ready.extend(self._indexes(rows))

    @property
    def rows_are_in(self) -> bool:
        """Whether all tables have their rows."""
        return self.whole and set(self.agenda.rows) <= self.done

    @property
    def empty(self) -> bool:
        """Whether nothing is left but the rest."""
        return self.rows_are_in and self._referred and not self._ready

    def _refill(self) -> None:
        if not self._loose:
            self._loose = True
            if self.agenda.large_objects:
                self._ready.append(Job("definitions", self.agenda.large_objects))
            if self.agenda.loose:
                blobs = self.agenda.blobs
                self._ready.append(Job("sequences", self.agenda.loose, needs=blobs))
        if self.rows_are_in and not self._referred:
            self._referred = True
            for rows in self._large_tables():
                table = self.agenda.table_of[rows]
                for entry in self.agenda.references.get(table, ()):
                    if self._keys_are_ours(entry):
                        size = self.sizes.get(rows, 0)
                        self._ready.append(self._alone("reference", entry, size))

    def _may_start(self, job: Job, running: list[Job]) -> bool:
        if not job.needs <= self.done or any(map(job.keeps_out, running)):
            return False
        # A foreign key and an index that has yet to begin would wait for each other.
        return job.kind != "reference" or not any(
            one.kind == "index" and one is not job and job.tables & one.tables
            for one in self._ready
        )

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

    def _indexes(self, rows: int) -> Iterator[Job]:
        """Keys and indexes of that table. Its keys lock it: first, one by one."""
        size = self.sizes.get(rows, 0)
        after = 0.0
        for entry in sorted(self._followers(rows), key=lambda e: _order(e, size)):
            job = self._alone("index", entry, size)
            if job.alone:
                job.weight = after = job.weight + after
            else:
                after = max(after, job.weight)
            yield job

    def _alone(self, kind: str, entry: Entry, size: int) -> Job:
        needs = self.agenda.keys_of(entry) if kind == "reference" else frozenset()
        tables = self.agenda.tables_of(entry)
        alone = entry.desc != "INDEX"
        own = weight(entry, size)
        return Job(kind, (entry,), own, tables=tables, needs=needs, alone=alone)

    def _followers(self, rows: int) -> list[Entry]:
        return self.agenda.followers.get(self.agenda.table_of[rows], [])

    def _large_tables(self) -> list[int]:
        large = (one for one, size in self.sizes.items() if size >= LARGE)
        return [one for one in large if one in self.agenda.rows]

    def _keys_are_ours(self, entry: Entry) -> bool:
        """Whether the keys that it refers to are jobs of their own."""
        ours = {
            one.dump_id
            for rows in self._large_tables()
            for one in self._followers(rows)
        }
        return self.agenda.keys_of(entry) <= ours

    def _needed(self, block: Block) -> set[int]:
        return self.agenda.needed_rows(block.dump_id)


def _order(entry: Entry, size: int) -> tuple[bool, float]:
    return entry.desc != "INDEX", weight(entry, size)
