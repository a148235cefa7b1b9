"""The jobs that build a table's keys and indexes, once its rows are in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dbpull.archive import Entry
from dbpull.restore.cost import cost
from dbpull.restore.dependencies import Dependencies
from dbpull.restore.job import Job, LockLevel
from dbpull.restore.two_step_keys import two_steps

WORTH = 1_000_000
"""The cost, in bytes of the dump, from which a key in two steps pays."""


@dataclass(frozen=True)
class Keys:
    """The jobs for each table's keys, by the dump id of the table's rows."""

    dependencies: Dependencies
    jobs: int
    sizes: Mapping[int, int]
    """The size of each table's rows, in bytes of the dump."""

    def keys_of_table(self, rows: int) -> list[Entry]:
        """The keys and indexes that need only these rows."""
        return self.dependencies.keys_of_table.get(self.dependencies.table_of[rows], [])

    def foreign_keys(self, rows: int) -> list[Entry]:
        """The foreign keys of these rows' table."""
        return self.dependencies.foreign_keys.get(self.dependencies.table_of[rows], [])

    def indexes(self, rows: int) -> list[Job]:
        """The jobs for a table's keys and indexes; the exclusive ones weigh most.

        The table's foreign keys wait for them, so their cost is added.
        """
        size = self.sizes.get(rows, 0)
        found = [self._index(entry, size) for entry in self.keys_of_table(rows)]
        for job in found:
            job.weight += self._foreign_keys_cost(rows)
        exclusive = [job for job in found if job.is_exclusive]
        shared = (job.weight for job in found if not job.is_exclusive)
        after = max(shared, default=0.0)
        for job in sorted(exclusive, key=lambda job: job.weight):
            job.weight = after = job.weight + after
        return found

    def reference(self, entry: Entry, rows: int) -> Job:
        """The job for a foreign key of these rows' table."""
        own = self.dependencies.table_of[rows]
        locks = dict.fromkeys(self.dependencies.tables_of(entry), LockLevel.DECLARED)
        validated = dict.fromkeys(locks, LockLevel.REFERRED) | {
            own: LockLevel.VALIDATED
        }
        size = self._cost(entry, self.sizes.get(rows, 0))
        all_foreign_keys = self._foreign_keys_cost(rows)
        needs = self.dependencies.keys_of(entry)
        whole = Job("reference", (entry,), size, locks=locks, needs=needs)
        return self._halved(whole, (math.inf, locks), (all_foreign_keys, validated))

    def analysis(self, rows: int) -> Job:
        """The job that analyzes a table, after its keys and indexes."""
        table, entry = self.dependencies.table_of[rows], self.dependencies.rows[rows]
        needs = frozenset(key.dump_id for key in self.keys_of_table(rows))
        locks = {table: LockLevel.VALIDATED}
        size = self.sizes.get(rows, 0)
        return Job("analyze", (entry,), size, locks=locks, needs=needs)

    def _index(self, entry: Entry, size: int) -> Job:
        lock = LockLevel.INDEXED if entry.desc == "INDEX" else LockLevel.ALTERED
        locks = dict.fromkeys(self.dependencies.tables_of(entry), lock)
        built = dict.fromkeys(locks, LockLevel.INDEXED)
        whole = Job("index", (entry,), self._cost(entry, size), locks=locks)
        return self._halved(whole, (whole.weight, built), (math.inf, locks))

    def _halved(self, whole: Job, *how: tuple[float, dict[int, LockLevel]]) -> Job:
        """The job, with its two steps if any; `how` is the weight and locks of each."""
        worth = self.jobs > 1 and whole.weight >= WORTH
        statements = (
            two_steps(self.dependencies.archive, whole.entries[0]) if worth else None
        )
        if statements:
            first, second = (
                replace(whole, weight=heavy, locks=locks, statement=statement)
                for (heavy, locks), statement in zip(how, statements, strict=True)
            )
            first.then = second
            whole.steps = first, second
        return whole

    def _foreign_keys_cost(self, rows: int) -> float:
        size = self.sizes.get(rows, 0)
        return sum(self._cost(entry, size) for entry in self.foreign_keys(rows))

    def _cost(self, entry: Entry, size: int) -> float:
        return cost(self.dependencies.archive, entry, size)
