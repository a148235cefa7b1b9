"""What one pg_restore of the engine does, and which others would wait for its locks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from dbpull.archive import Entry


class Lock(Enum):
    """How it locks a table: the levels in use here, as the documentation names them.

    Source: the table of conflicts in doc/src/sgml/mvcc.sgml; AlterTableGetLockLevel in
    src/backend/commands/tablecmds.c for what takes which.
    """

    REFERRED = "ROW SHARE"
    """A foreign key that refers to it is validated."""
    VALIDATED = "SHARE UPDATE EXCLUSIVE"
    """Its own foreign key is."""
    INDEXED = "SHARE"
    """It gets an index."""
    DECLARED = "SHARE ROW EXCLUSIVE"
    """It gets, or is referred to by, a new foreign key."""
    ALTERED = "ACCESS EXCLUSIVE"
    """It gets a key."""

    def conflicts(self, other: Lock) -> bool:
        """Whether one of the two would wait for the other."""
        return other in _CONFLICTS[self]


_CONFLICTS: Mapping[Lock, frozenset[Lock]] = {
    Lock.REFERRED: frozenset({Lock.ALTERED}),
    Lock.VALIDATED: frozenset(Lock) - {Lock.REFERRED},
    Lock.INDEXED: frozenset({Lock.VALIDATED, Lock.DECLARED, Lock.ALTERED}),
    Lock.DECLARED: frozenset(Lock) - {Lock.REFERRED},
    Lock.ALTERED: frozenset(Lock),
}


@dataclass
class Job:
    """What one pg_restore does."""

    kind: str
    """`definitions`, `rows`, `sequences`, `index`, `reference` or `rest`."""
    entries: tuple[Entry, ...]
    weight: float = 0.0
    """How much it is, in bytes of the dump, with the longest that follows from it."""
    size: int = 0
    """The bytes of the dump that it restores."""
    starts: tuple[tuple[int, int], ...] = ()
    """Where its blocks begin and end; an end of 0 is not known yet."""
    locks: Mapping[int, Lock] = field(default_factory=dict)
    """The tables that it locks, by dump id."""
    needs: frozenset[int] = frozenset()
    """What must be done before, by dump id."""
    halves: tuple[Job, Job] | None = None
    """The same in two, where the long one of them locks out fewer."""
    statement: str | None = None
    """What it does for its only entry instead of the dump's own definition."""
    then: Job | None = None
    """The half that is to follow."""
    arriving: bool = False
    """Whether its block is still on its way: then it waits for the network."""
    began: float = field(default=0.0)

    def keeps_out(self, other: Job) -> bool:
        """Whether one of the two would wait for the other's locks."""
        both = self.locks.keys() & other.locks.keys()
        return any(self.locks[one].conflicts(other.locks[one]) for one in both)

    @property
    def is_lonely(self) -> bool:
        """Whether nothing else can be done to its tables in any of its forms."""
        return not self.halves and Lock.ALTERED in self.locks.values()

    @property
    def is_whole_reference(self) -> bool:
        """Whether it is a foreign key in one piece."""
        return self.kind == "reference" and self.statement is None

    @property
    def name(self) -> str:
        """As a user knows it."""
        first = self.entries[0]
        if len(self.entries) > 1:
            return f"{len(self.entries):,} tables" if self.kind == "rows" else self.kind
        name = first.tag.split(" ")[-1] if self.kind == "reference" else first.tag
        if self.kind == "index" and first.desc == "CONSTRAINT":
            name = first.tag.split(" ")[-1]
        if first.namespace in {None, "public", ""}:
            return name
        return f"{first.namespace}.{name}"
