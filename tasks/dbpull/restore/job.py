"""A job: the work of one pg_restore of the engine, with the locks that it takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from dbpull.archive import Entry


class LockLevel(Enum):
    """How a job locks a table: the levels, as PostgreSQL's documentation names them.

    Source: the table of conflicts in doc/src/sgml/mvcc.sgml; AlterTableGetLockLevel in
    src/backend/commands/tablecmds.c for the level of each command.
    """

    REFERRED = "ROW SHARE"
    """A foreign key that refers to the table is validated."""
    VALIDATED = "SHARE UPDATE EXCLUSIVE"
    """A foreign key of the table is validated, or the table is analyzed."""
    INDEXED = "SHARE"
    """The table gets an index."""
    DECLARED = "SHARE ROW EXCLUSIVE"
    """The table gets a foreign key, or a new one refers to it."""
    ALTERED = "ACCESS EXCLUSIVE"
    """The table gets a key."""

    def conflicts(self, other: LockLevel) -> bool:
        """Whether two jobs with these locks on a table would wait for each other."""
        return other in _CONFLICTS[self]


_CONFLICTS: Mapping[LockLevel, frozenset[LockLevel]] = {
    LockLevel.REFERRED: frozenset({LockLevel.ALTERED}),
    LockLevel.VALIDATED: frozenset(LockLevel) - {LockLevel.REFERRED},
    LockLevel.INDEXED: frozenset(
        {LockLevel.VALIDATED, LockLevel.DECLARED, LockLevel.ALTERED}
    ),
    LockLevel.DECLARED: frozenset(LockLevel) - {LockLevel.REFERRED},
    LockLevel.ALTERED: frozenset(LockLevel),
}

_KEY = re.compile(r'\bADD CONSTRAINT ("(?:[^"]|"")+"|\S+)')


@dataclass
class Job:
    """The work of one pg_restore; of a psql where tables are analyzed."""

    kind: str
    """`definitions`, `rows`, `sequences`, `index`, `reference`, `analyze`, `rest`."""
    entries: tuple[Entry, ...]
    weight: float = 0.0
    """The cost, in bytes of the dump, with that of the longest job that follows."""
    starts: tuple[tuple[int, int], ...] = ()
    """Where its blocks begin and end; the end is 0 while a block arrives."""
    locks: Mapping[int, LockLevel] = field(default_factory=dict)
    """The tables that the job locks, by dump id."""
    needs: frozenset[int] = frozenset()
    """The entries that must be restored before, by dump id."""
    steps: tuple[Job, Job] | None = None
    """The same work in two jobs, of which the long one takes the weaker locks."""
    statement: str | None = None
    """SQL that replaces the dump's definition of the only entry, or its COPY."""
    then: Job | None = None
    """The second step, where this job is the first."""
    arriving: bool = False
    """Whether its block still arrives: the job then waits for the network."""
    began: float = 0.0
    """When the job began (time.monotonic)."""

    def keeps_out(self, other: Job) -> bool:
        """Whether the jobs would wait for each other's locks."""
        both = self.locks.keys() & other.locks.keys()
        return any(self.locks[table].conflicts(other.locks[table]) for table in both)

    @property
    def table(self) -> tuple[str, str]:
        """The schema and name of the table whose rows are the first entry."""
        return self.entries[0].namespace or "", self.entries[0].tag

    @property
    def is_exclusive(self) -> bool:
        """Whether no other job can use the tables meanwhile: the job has no steps."""
        return not self.steps and LockLevel.ALTERED in self.locks.values()

    @property
    def name(self) -> str:
        """The name that a user knows: a table, a key, a number of tables."""
        first = self.entries[0]
        if len(self.entries) > 1:
            return f"{len(self.entries):,} tables" if self.kind == "rows" else self.kind
        # A key's tag has its table as well: `users users_pkey`.
        key = _KEY.search(first.definition) if "CONSTRAINT" in first.desc else None
        name = key[1].strip('"').replace('""', '"') if key else first.tag
        if first.namespace in {None, "public", ""}:
            return name
        return f"{first.namespace}.{name}"
