"""Names beside the target's own: aside, previous, and the one about to be dropped."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

LIMIT = 63
"""Bytes in a name (NAMEDATALEN - 1, src/include/pg_config_manual.h)."""
ASIDE, PREVIOUS, DISCARDED = "__dbpull_new", "__dbpull_previous", "__dbpull_old"
BETWEEN = "__dbpull_swap"
SERVERS_OWN = frozenset({"postgres", "template0", "template1"})


@dataclass(frozen=True)
class Names:
    """The names that belong to a target."""

    target: str

    @property
    def aside(self) -> str:
        """The new database while it is being built."""
        return _beside(self.target, ASIDE)

    @property
    def previous(self) -> str:
        """The replaced database, kept for `db.undo`."""
        return _beside(self.target, PREVIOUS)

    @property
    def discarded(self) -> str:
        """What is dropped after a swap: the previous of the previous."""
        return _beside(self.target, DISCARDED)

    @property
    def between(self) -> str:
        """What the target is called within the transaction of an undo, never after."""
        return _beside(self.target, BETWEEN)


def is_ours(dbname: str) -> bool:
    """Whether the name is one that dbpull gives."""
    return dbname.endswith((ASIDE, PREVIOUS, DISCARDED))


def _beside(target: str, suffix: str) -> str:
    """`<target><suffix>`; a name that is too long keeps its start and gets a digest."""
    if len((target + suffix).encode()) <= LIMIT:
        return target + suffix
    digest = "_" + sha256(target.encode()).hexdigest()[:8]
    room = LIMIT - len(digest + suffix)
    return target.encode()[:room].decode(errors="ignore") + digest + suffix
