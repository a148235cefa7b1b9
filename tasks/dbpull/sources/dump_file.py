"""A dump in a file or folder of this machine as a source: read, never changed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime

from dbpull.console import Reporter
from dbpull.errors.archive import NoDumpFolder
from dbpull.errors.sources import NoSource
from dbpull.sources.dumped import dumped
from dbpull.sources.named import NamedSource, file_path
from dbpull.sources.single_dump import ID, SingleDump
from dbpull.sources.source import ByFile, SourceBackup


@dataclass(frozen=True)
class DumpFile:
    """A dump in a file or folder; see Source."""

    given: NamedSource

    @property
    def name(self) -> str:
        """The alias, or the file's name."""
        return self.given.label

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""
        return self.given.name_of_dumps

    def refuse_unable(self, reporter: Reporter) -> None:
        """Raise NoSource where there is no such file, NoDumpFolder for a folder."""
        del reporter
        self._backup()

    def open(self, reporter: Reporter) -> SingleDump:
        """The dump, unread."""
        del reporter
        about = f"{self.name} [{self.given.origin}]"
        return SingleDump(self.name, about, self._backup())

    def backups(self, reporter: Reporter) -> list[SourceBackup]:
        """The dump."""
        del reporter
        return [self._backup()]

    def _backup(self) -> SourceBackup:
        path = file_path(self.given.text)
        toc = path / "toc.dat"
        try:
            if path.is_dir() and not toc.exists():
                raise NoDumpFolder(self.given.text)
            changed = (toc if path.is_dir() else path).stat().st_mtime
        except OSError as error:
            raise NoSource(
                f"{self.given.text} ({self.given.origin}) can't be read:"
                f" {os.strerror(error.errno or 0).lower()}.",
                "Name a dump that is there; a relative path begins here, or in the"
                " project's folder.",
            ) from None
        taken = datetime.fromtimestamp(changed, UTC)
        return dumped(self.name_of_dumps, ID, taken, ByFile(path))
