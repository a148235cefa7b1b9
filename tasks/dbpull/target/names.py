"""The names of a target's databases: aside, previous, kept, discarded."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from itertools import count

LIMIT = 63
"""The most bytes in a name (NAMEDATALEN - 1, src/include/pg_config_manual.h)."""
ASIDE, PREVIOUS, DISCARDED = "__dbpull_new", "__dbpull_previous", "__dbpull_old"
ORIGINAL, BETWEEN = "__dbpull_original", "__dbpull_swap"
SNAPSHOT, SNAPSHOT_NAME = "__dbpull_at_", re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,29}")
"""The start of a snapshot's suffix, and what a snapshot may be called."""
SERVERS_OWN = frozenset({"postgres", "template0", "template1"})
_OURS = re.compile(
    f"(?:{ASIDE}|{PREVIOUS}|{BETWEEN}|(?:{DISCARDED}|{ORIGINAL})(?:_[0-9]+)?"
    f"|{SNAPSHOT}{SNAPSHOT_NAME.pattern})\\Z"
)


@dataclass(frozen=True)
class Names:
    """The names of a target and of the databases beside it."""

    target: str

    @property
    def aside(self) -> str:
        """The new database while it is being built."""
        return _beside(self.target, ASIDE)

    @property
    def previous(self) -> str:
        """The replaced database, kept for `db.undo`."""
        return _beside(self.target, PREVIOUS)

    def snapshot(self, name: str) -> str:
        """The copy of the target that is kept under a name of SNAPSHOT_NAME."""
        return _beside(self.target, SNAPSHOT + name)

    def is_snapshot(self, dbname: str) -> bool:
        """Whether a snapshot of the target would have this name."""
        name = dbname.rpartition(SNAPSHOT)[2]
        return bool(SNAPSHOT_NAME.fullmatch(name)) and self.snapshot(name) == dbname

    def between(self, taken: Collection[str]) -> str:
        """The name of the coming target during the transaction of an undo."""
        return self._free(BETWEEN, taken)

    def original(self, taken: Collection[str]) -> str:
        """A free name for a replaced database that dbpull had not filled."""
        return self._free(ORIGINAL, taken)

    def discarded(self, taken: Collection[str]) -> str:
        """A free name for a database that is dropped after a swap."""
        return self._free(DISCARDED, taken)

    def _free(self, suffix: str, taken: Collection[str]) -> str:
        """The first of `<target><suffix>`, `<target><suffix>_2`, … that is free."""
        numbered = (
            f"{suffix}_{number}" if number > 1 else suffix for number in count(1)
        )
        names = (_beside(self.target, each) for each in numbered)
        return next(name for name in names if name not in taken)


def is_ours(dbname: str) -> bool:
    """Whether dbpull gives databases such a name."""
    return bool(_OURS.search(dbname))


def _beside(target: str, suffix: str) -> str:
    """`<target><suffix>`; where that is too long, the target's start and a digest."""
    if len((target + suffix).encode()) <= LIMIT:
        return target + suffix
    digest = "_" + sha256(target.encode()).hexdigest()[:8]
    room = LIMIT - len(digest + suffix)
    return target.encode()[:room].decode(errors="ignore") + digest + suffix
