"""Where dumps lie: a folder here, or one on a host. The flow is the same for both."""

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
"""Looks at a dump's table of contents and raises where it can't be used."""


RESUMES = "What was downloaded stays for the next run."
ANEW = "A whole download stays for the next run; its host can't resume a part of one."


def dump_of(source: Source, backup: heroku.Backup, settings: Settings) -> Dump:
    """Where a backup's dump lies, or will: under the app whose database it is."""
    app, taken = source.database.app, backup.created_at
    return Dump.named(settings.path, app, backup.id, taken, settings.database)


@dataclass(frozen=True)
class Fetched:
    """A dump whose table of contents has been judged."""

    dump: Dump
    archive: Archive
    blocks: tuple[Block, ...] = ()
    """Where its rows lie; of a dump on a host that is not known."""
    arriving: Arriving | None = None
    """What sees it to its end; None where all of it is here."""
    incoming: Incoming | None = None
    """Its bytes, where they pass through this machine."""

    def dump_size(self, told: int | None) -> int | None:
        """The dump's bytes; of one on a host, what was told."""
        return self.dump.size if self.incoming else told

    @property
    def sizes(self) -> Mapping[int, int]:
        """Bytes of the dump that each entry's data takes, by dump id."""
        return {block.dump_id: block.end - block.start for block in self.blocks}


class DumpStore(Protocol):
    """The dumps of a place."""

    @property
    def folder(self) -> str:
        """Where they lie, as messages name it."""

    def shown(self, dump: Dump) -> str:
        """A dump's file, as messages name it."""

    def of(self, source: Source, backup: heroku.Backup) -> Dump:
        """Where a backup's dump lies, or will."""

    def here(self, app: str | None = None, database: str | None = None) -> list[Dump]:
        """The whole dumps, newest first; of one app or database, or of all."""

    def find(self, app: str | None, name: str | None) -> Dump | None:
        """The file of that name, or the newest dump; None where there is none."""

    def has(self, dump: Dump) -> bool:
        """Whether it is here, whole."""

    def size(self, dump: Dump) -> int:
        """Its bytes."""

    def contents(self, dump: Dump) -> Archive:
        """The table of contents of one that is here."""

    def open(self, dump: Dump, reporter: Reporter, gate: Gate) -> Fetched:
        """Take one that is here. Raises BadDump and what the gate raises."""

    def fetch(
        self,
        source: Source,
        backup: heroku.Backup,
        reporter: Reporter,
        gate: Gate,
        *,
        upload: bool = False,
    ) -> AbstractContextManager[Fetched]:
        """Bring a backup here. The gate judges it as soon as its front has arrived.

        `upload`: it is fetched by the machine that we are on, and sent. Raises
        DownloadFailed, BadDump and what the gate raises; what has arrived stays for
        the next run.
        """

    def refuse_unable(self, *, upload: bool) -> None:
        """Raise MissingCurl where nothing could get here."""

    def commands(self, *, upload: bool = False) -> list[str]:
        """What `fetch` would do, for a plan."""

    def private(self, name: str) -> Dump:
        """An empty file that nobody else can read, for a dump that is made there."""

    def remove(self, dump: Dump) -> None:
        """Remove a dump, of whose file nothing else knows."""

    def remove_served(self, dump: Dump) -> None:
        """Remove a dump that has served, and what there is only because of it."""

    def remove_surplus(
        self, keep: int, app: str | None, spared: Dump | None
    ) -> dict[str, int]:
        """Remove dumps beyond the newest `keep` of each app, and cut-off parts.

        Of one app or of all; never the one spared. The names of the files that are
        gone, and the bytes that each took.
        """
