"""The dumps that are here of a source that keeps no backups: they are its backups."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dbpull.errors.sources import NoBackup, NoSuchBackup
from dbpull.sources.source import SourceBackup, Way
from dbpull.words import source_as_written

Stored = Callable[[str], list[SourceBackup]]
"""Lists the dumps here of a source, by its name in their names; the newest first."""


@dataclass(frozen=True)
class DumpsHere:
    """The dumps of one source in this machine's folder of dumps."""

    source: str
    """The source's name in the names of dumps."""
    label: str
    """The source as messages name it."""
    stored: Stored = field(compare=False, repr=False)

    def newest(self) -> SourceBackup:
        """The newest dump. Raises NoBackup."""
        if found := self.stored(self.source):
            return found[0]
        raise NoBackup([])

    def named(self, backup: str) -> SourceBackup:
        """The dump with an id. Raises NoSuchBackup."""
        found = self.stored(self.source)
        known = [each.id for each in found]
        if backup in known:
            return found[known.index(backup)]
        raise NoSuchBackup(backup, self.label, known)

    def next(self, way: Way, size: int | None = None) -> SourceBackup:
        """A new dump, to be taken now by a way; `size` is the database's, in bytes."""
        numbers = [
            int(digits[0])
            for each in self.stored(source_as_written(self.source))
            if (digits := re.search(r"\d+$", each.id))
        ]
        return dumped(
            self.source, f"d{max(numbers, default=0) + 1}", datetime.now(UTC), way, size
        )


def dumped(
    source: str, number: str, taken: datetime, way: Way, size: int | None = None
) -> SourceBackup:
    """A dump of a source as its backup; `number` is its id, as in `d3`."""
    backup = SourceBackup(
        id=number,
        uuid=f"{source} {number} {taken.isoformat()}",
        source=source,
        database="-",
        taken=taken,
        status="finished",
        is_finished=True,
        size=size,
        server=None,
        way=way,
        ended=lambda _wait, _progress: backup,
    )
    return backup
