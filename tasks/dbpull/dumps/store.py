"""The protocol of a store of dumps: a folder on this machine, or one on a host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from dbpull import heroku
from dbpull.archive import Archive, Block
from dbpull.console import Reporter
from dbpull.dumps.names import Dump
from dbpull.restore.arriving import Arriving
from dbpull.restore.incoming import Incoming
from dbpull.settings import Settings
from dbpull.sources.heroku_app import Source

Gate = Callable[[Archive], object]
"""Judges a dump by its table of contents; raises where the dump can't be used."""


RESUMES = "What was downloaded stays for the next run."
ANEW = "A whole download stays for the next run; its host can't resume a part of one."


def dump_of(source: Source, backup: heroku.Backup, settings: Settings) -> Dump:
    """The dump of a backup, named after the app that has the database."""
    app, taken = source.database.app, backup.created_at
    return Dump.named(settings.path, app, backup.id, taken, settings.database)


@dataclass(frozen=True)
class Fetched:
    """A dump whose table of contents has been judged."""

    dump: Dump
    archive: Archive
    blocks: tuple[Block, ...] = ()
    """The dump's data blocks; empty for a dump on a host."""
    arriving: Arriving | None = None
    """The transfer that brings the dump; None for a dump that is whole."""
    incoming: Incoming | None = None
    """The dump's bytes, where they pass through this machine."""

    def dump_size(self, announced: int | None) -> int | None:
        """The dump's size in bytes; the announced size for a dump on a host."""
        return self.dump.size if self.incoming else announced

    @property
    def sizes(self) -> Mapping[int, int]:
        """The bytes of each entry's data block in the dump, by dump id."""
        return {block.dump_id: block.end - block.start for block in self.blocks}


class DumpStore(Protocol):
    """A store of dumps: a folder on this machine, or one on a host."""

    @property
    def folder(self) -> str:
        """The folder, as messages name it."""

    def shown(self, dump: Dump) -> str:
        """The path of a dump's file, as messages name it."""

    def of(self, source: Source, backup: heroku.Backup) -> Dump:
        """The dump of a backup, whether its file exists or not."""

    def here(self, app: str | None = None, database: str | None = None) -> list[Dump]:
        """The whole dumps, newest first; of one app or database, or of all."""

    def find(self, app: str | None, name: str | None) -> Dump | None:
        """The dump in a named file, or the newest dump; None where there is none."""

    def has(self, dump: Dump) -> bool:
        """Whether the dump is in the store and whole."""

    def size(self, dump: Dump) -> int:
        """A stored dump's size in bytes."""

    def contents(self, dump: Dump) -> Archive:
        """A stored dump's table of contents."""

    def open(self, dump: Dump, reporter: Reporter, gate: Gate) -> Fetched:
        """Take a stored dump. Raises BadDump and what the gate raises."""

    def fetch(
        self,
        source: Source,
        backup: heroku.Backup,
        reporter: Reporter,
        gate: Gate,
        *,
        upload: bool = False,
    ) -> AbstractContextManager[Fetched]:
        """Bring a backup's dump into the store, or take it from there.

        The gate judges the table of contents as soon as that has arrived. `upload`:
        this machine downloads the dump and sends it to the host. Raises
        DownloadFailed, BadDump and what the gate raises; the bytes that have arrived
        stay for the next run.
        """

    def refuse_unable(self, *, upload: bool) -> None:
        """Raise MissingCurl where `fetch` would need curl on a host that lacks it."""

    def commands(self, *, upload: bool = False) -> list[str]:
        """The transfers that `fetch` would make, for a plan."""

    def private(self, name: str) -> Dump:
        """Make an empty file that only its owner can read, for a dump of a push."""

    def remove(self, dump: Dump) -> None:
        """Remove a dump's file, and nothing else."""

    def remove_served(self, dump: Dump) -> None:
        """Remove a dump that has been restored, and files that exist only for it."""

    def remove_surplus(
        self, keep: int, app: str | None, spared: Dump | None
    ) -> dict[str, int]:
        """Remove dumps beyond the newest `keep` of each app, and cut-off parts.

        Of one app or of all apps; the spared dump stays. Returns the bytes of each
        removed file, by the file's name.
        """
