"""A source that is one dump, in a file or at a URL: its only backup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dbpull.errors.sources import NoNewBackup, NoSuchBackup
from dbpull.sources.source import Progress, SourceBackup

ID = "d1"


@dataclass(frozen=True)
class SingleDump:
    """One dump, as the database of a source; see SourceDatabase."""

    label: str
    about: str
    backup: SourceBackup
    version = size = server = identity = None
    keeps_backups = True
    takes_backups = False
    capture_requests: Sequence[str] = ()

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.backup.source

    def newest(self) -> SourceBackup:
        """The dump."""
        return self.backup

    def named(self, backup: str) -> SourceBackup:
        """The dump, if it has that id. Raises NoSuchBackup."""
        if backup == self.backup.id:
            return self.backup
        raise NoSuchBackup(backup, self.label, [self.backup.id])

    def capture(self, wait: float, progress: Progress) -> SourceBackup:
        """Raise NoNewBackup."""
        del wait, progress
        raise NoNewBackup(self.label)
