"""The jobs that make a table's keys and indexes, once its rows are in."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dbpull.archive import Entry
from dbpull.restore.cost import weight
from dbpull.restore.dependencies import Agenda
from dbpull.restore.job import Job, Lock
from dbpull.restore.two_step_keys import halves

WORTH = 1_000_000
"""How heavy a key is, in bytes of the dump, that is worth another pg_restore."""


@dataclass(frozen=True)
class Keys:
    """Keys by the dump ids of the rows of their tables."""

    agenda: Agenda
    jobs: int
    sizes: Mapping[int, int]
    """Bytes of the dump that rows take."""

    def followers(self, rows: int) -> list[Entry]:
        """Keys and indexes that need these rows alone."""
        return self.agenda.keys_of_table.get(self.agenda.table_of[rows], [])

    def references(self, rows: int) -> list[Entry]:
        """Foreign keys of that table."""
        return self.agenda.foreign_keys.get(self.agenda.table_of[rows], [])

    def indexes(self, rows: int) -> list[Job]:
        """Keys and indexes of that table. What locks all others out comes first.

        Its foreign keys follow, one by one: what they wait for is to be begun early.
        """
        size = self.sizes.get(rows, 0)
        found = [self._index(entry, size) for entry in self.followers(rows)]
        for job in found:
            job.weight += self._referring_weight(rows)
        lonely = [job for job in found if job.is_lonely]
        after = max((job.weight for job in found if not job.is_lonely), default=0.0)
        for job in sorted(lonely, key=lambda one: one.weight):
            job.weight = after = job.weight + after
        return found

    def reference(self, entry: Entry, rows: int) -> Job:
        """A foreign key of that table."""
        own = self.agenda.table_of[rows]
        locks = dict.fromkeys(self.agenda.tables_of(entry), Lock.DECLARED)
        validated = dict.fromkeys(locks, Lock.REFERRED) | {own: Lock.VALIDATED}
        size = self._weight(entry, self.sizes.get(rows, 0))
        all_of_it = self._referring_weight(rows)
        needs = self.agenda.keys_of(entry)
        whole = Job("reference", (entry,), size, locks=locks, needs=needs)
        return self._halved(whole, (math.inf, locks), (all_of_it, validated))

    def _index(self, entry: Entry, size: int) -> Job:
        lock = Lock.INDEXED if entry.desc == "INDEX" else Lock.ALTERED
        locks = dict.fromkeys(self.agenda.tables_of(entry), lock)
        built = dict.fromkeys(locks, Lock.INDEXED)
        whole = Job("index", (entry,), self._weight(entry, size), locks=locks)
        return self._halved(whole, (whole.weight, built), (math.inf, locks))

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
        return sum(self._weight(one, size) for one in self.references(rows))

    def _weight(self, entry: Entry, size: int) -> float:
        return weight(self.agenda.archive, entry, size)
