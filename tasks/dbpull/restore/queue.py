"""The queue of jobs: which pg_restore may start next, by arrivals and dependencies."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from dbpull.archive import Block, Entry
from dbpull.restore.dependencies import Dependencies
from dbpull.restore.frozen import frozen_copy
from dbpull.restore.job import Job
from dbpull.restore.keys import Keys
from dbpull.restore.ready import Ready
from dbpull.restore.turns import Turns

LARGE = 1_000_000
"""The size, in bytes of the dump, from which a table gets its own pg_restore."""
BATCH, MOST = 4_000_000, 2_500
"""The most bytes, and the most tables, that share a pg_restore."""


@dataclass
class Queue:
    """The jobs of a dump, as they become possible; one thread at a time uses it.

    There may be tens of thousands of tables: no method loops over all of them for
    each table.
    """

    dependencies: Dependencies
    jobs: int
    analyze: bool = False
    """Whether tables are analyzed where a core would idle otherwise."""
    whole: bool = False
    """Whether all blocks have arrived."""
    arriving: Job | None = None
    """The job for the table that arrives right now."""
    sizes: dict[int, int] = field(default_factory=dict)
    """The size of each block, in bytes of the dump, by dump id."""
    done: set[int] = field(default_factory=set)
    """The entries that have been restored, by dump id."""
    _ready: Ready = field(init=False)
    _analyses: Ready = field(init=False)
    """Nobody waits for these: what is left of them is done after the restore."""
    _small: list[Block] = field(default_factory=list)
    _waiting: int = 0
    """Bytes of the small blocks."""
    _known: set[int] = field(default_factory=set)
    """The rows whose job was started while they arrived."""
    _missing_tables: int = 0
    """How many tables' rows are not restored yet."""
    _made: set[int] = field(default_factory=set)
    """The keys of restored tables, where each is a job of its own."""
    _referring: dict[int, list[tuple[Entry, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """Foreign keys of restored tables that wait for another table's key, by that key:
    each with the rows of its own table."""

    def __post_init__(self) -> None:
        self._ready, self._analyses = Ready(self.done), Ready(self.done)
        self._keys = Keys(self.dependencies, self.jobs, self.sizes)
        self._turns = Turns(self.dependencies)
        self._missing_tables = len(self.dependencies.rows)
        first = self.dependencies.selection.of("pre-data")
        self._first = Job("definitions", first) if first else None
        self._defined = False
        if not first:
            self._define()

    def large(self, dump_id: int, start: int) -> None:
        """Note that a table of at least LARGE bytes has begun to arrive."""
        if dump_id in self.dependencies.rows:
            job = self._rows([Block(dump_id, start, 0, "data")])
            job.arriving = True
            self.arriving = job

    def arrived(self, block: Block) -> None:
        """Note that a block has arrived."""
        size = block.end - block.start
        self.sizes[block.dump_id] = size
        was_arriving, self.arriving = self.arriving, None
        if block.dump_id not in self.dependencies.rows or block.dump_id in self._known:
            return
        if block.dump_id in self._turns:
            self._turns.arrived(block)
        elif was_arriving or size >= LARGE:
            job = self._rows([block])
            self._ready.add(job)
        else:
            self._small.append(block)
            self._waiting += size

    def take(self, running: list[Job]) -> Job | None:
        """The most urgent job that may start beside `running`; it counts as started."""
        if not self._defined:
            first, self._first = self._first, None
            return first
        job = self._late(running) or self._ready.take(running) or self._batch(running)
        return job or self._analyses.take(running)

    def others(self, running: list[Job], most: int) -> int:
        """How many jobs could start beside `running`, counted up to `most`."""
        late = self._turns.due(self.done, LARGE)
        shared = bool(self._small) + bool(late)
        return shared + self._ready.count(running, most)

    def take_arriving(self) -> Job | None:
        """The job for the arriving table, where it may start at once."""
        job = self.arriving
        if job and self._defined and job.needs <= self.done:
            rows = job.entries[0].dump_id
            if rows in self._turns and not self._turns.is_next(rows, self.done):
                return None
            self.arriving = None
            self._known.add(rows)
            return job
        return None

    def finished(self, job: Job) -> None:
        """Note that a job is done, and add the jobs that waited for it."""
        if job.then:
            self._ready.add(job.then)
            return
        if not self._defined:  # no other job starts before the definitions
            self._define()
        finished = [entry.dump_id for entry in job.entries]
        self.done.update(finished)
        self._ready.finished(finished)
        self._analyses.finished(finished)
        if job.kind == "rows":
            self._missing_tables -= len(job.entries)
            if len(job.entries) == 1:
                self._follow(job.entries[0].dump_id)

    @property
    def defined(self) -> bool:
        """Whether definitions are restored, so that rows may follow."""
        return self._defined

    @property
    def empty(self) -> bool:
        """Whether no job is left; the engine then restores the remaining entries."""
        rows_are_in = self.whole and not self._missing_tables
        return self._defined and rows_are_in and not self._ready

    def _define(self) -> None:
        """Note that definitions are restored, and add the jobs that need no block."""
        self._defined = True
        created = self.dependencies.large_objects
        # Sequences' values, statistics; comments on large objects wait for their data.
        data = self.dependencies.selection.of("data")
        others = (entry for entry in data if not entry.had_data)
        values = tuple(entry for entry in others if entry.desc != "BLOB METADATA")
        filled = frozenset(e.dump_id for e in data if e.had_data and e.desc == "BLOBS")
        if created:
            self._ready.add(Job("definitions", created))
        if values:
            self._ready.add(Job("sequences", values, needs=filled))

    def _follow(self, rows: int) -> None:
        """Add the jobs for the keys and indexes of a table whose rows are restored."""
        for job in self._keys.indexes(rows):
            self._ready.add(job)
        made = [entry.dump_id for entry in self._keys.keys_of_table(rows)]
        self._made.update(made)
        for entry in self._keys.foreign_keys(rows):
            self._refer(entry, rows)
        if self.analyze and rows in self.dependencies.analyzable:
            self._analyses.add(self._keys.analysis(rows))
        for key in made:
            for entry, others in self._referring.pop(key, ()):
                self._refer(entry, others)

    def _refer(self, entry: Entry, rows: int) -> None:
        """Add the job for a foreign key once both its tables have their rows.

        Without a job for the referenced key there is none for the foreign key.
        """
        missing = self.dependencies.keys_of(entry) - self._made
        if missing:
            self._referring[min(missing)].append((entry, rows))
        else:
            self._ready.add(self._keys.reference(entry, rows))

    def _late(self, running: list[Job]) -> Job | None:
        """A job for late tables' rows, once enough of them may be restored."""
        due = self._turns.due(self.done, LARGE)
        waiting = sum(block.end - block.start for block in due)
        if not due or not (self.arriving or self._is_worth(waiting, len(due), running)):
            return None
        self._turns.take(due)
        return self._rows(due)

    def _batch(self, running: list[Job]) -> Job | None:
        """A job for several small tables, once they are worth a pg_restore."""
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
        started = {block.dump_id for block in taken}
        self._small = [b for b in self._small if b.dump_id not in started]
        self._waiting -= size
        return self._rows(taken) if taken else None

    def _is_worth(self, waiting: int, tables: int, running: list[Job]) -> bool:
        """Whether waiting bytes and tables are worth a pg_restore, or all have come.

        They are where no core is busy: a job whose rows arrive waits for the network.
        """
        enough = self.whole or waiting >= BATCH or tables >= MOST
        return enough or all(job.arriving for job in running)

    def _rows(self, blocks: list[Block]) -> Job:
        first = blocks[0]
        size = sum(block.end - block.start for block in blocks if block.end)
        then = 0.0
        if len(blocks) == 1 and size:
            indexes = self._keys.indexes(first.dump_id)
            then = max((job.weight for job in indexes), default=0)
        is_large = len(blocks) == 1 and (size >= LARGE or not first.end)
        return Job(
            "rows",
            tuple(self.dependencies.rows[block.dump_id] for block in blocks),
            size + then,
            tuple((block.start, block.end) for block in blocks),
            needs=self._needed(first.dump_id),
            statement=self._frozen(first.dump_id) if is_large else None,
        )

    def _frozen(self, rows: int) -> str | None:
        table = self.dependencies.table_of[rows]
        created = self.dependencies.selection.by_id.get(table)
        return frozen_copy(self.dependencies.rows[rows], created)

    def _needed(self, rows: int) -> frozenset[int]:
        return self.dependencies.needs.get(rows, frozenset())
