"""The protocol of a store of dumps: a folder on this machine, or one on a host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from dbpull.console import Reporter
from dbpull.dumps.names import Dump
from dbpull.dumps.packed import is_packed
from dbpull.dumps.stream import DumpStream
from dbpull.errors.archive import BadDump
from dbpull.restore.sections import Restore
from dbpull.settings import Settings
from dbpull.sources.source import ByFile, SourceBackup

RESUMES = "What was downloaded stays for the next run."
ANEW = "A whole download stays for the next run; its host can't resume a part of one."


def dump_of(backup: SourceBackup, settings: Settings) -> Dump:
    """The dump of a backup, named after its source, whether its file exists or not.

    A file of the user's own is read where it is, unless it is packed; a host has its
    copy.
    """
    source, database = backup.source, settings.database
    if isinstance(backup.way, ByFile) and not settings.local:
        found = Dump.of(backup.way.path)
        if found.app == source:
            return found
        if not is_packed(found.path):
            return Dump(found.path, source, backup.id, backup.taken)
    return Dump.named(settings.path, source, backup.id, backup.taken, database)


@contextmanager
def judging(dump: Dump, folder: Path) -> Iterator[None]:
    """Judge a dump; errors advise removing only a file that dbpull made.

    Files that dbpull made lie in `folder`.
    """
    try:
        yield
    except BadDump as error:
        if dump.is_ours and dump.path.parent.resolve() == folder.resolve():
            raise
        raise error.of_the_user() from None


class DumpStore(Protocol):
    """A store of dumps: a folder on this machine, or one on a host."""

    def shown(self, path: Path) -> str:
        """The path of the folder or of a dump's file, as messages name it."""

    def dumps(self, app: str | None = None, database: str | None = None) -> list[Dump]:
        """The whole dumps, newest first; of one app or database, or of all."""

    def find(self, app: str | None, name: str | None) -> Dump | None:
        """The dump in a named file, or the newest dump; None where there is none."""

    def has(self, dump: Dump) -> bool:
        """Whether the whole dump is in the store."""

    def size(self, dump: Dump) -> int:
        """A stored dump's size in bytes."""

    def used(self) -> int:
        """Bytes that the dumps, and the parts of unfinished ones, take on the disk."""

    def look(self, dump: Dump) -> DumpStream:
        """A stored dump with its rows unread, for a plan. Raises BadDump."""

    def open(self, dump: Dump, reporter: Reporter) -> DumpStream:
        """Read and verify a stored dump. Raises BadDump."""

    def fetch(
        self, backup: SourceBackup, reporter: Reporter
    ) -> AbstractContextManager[DumpStream]:
        """Download a backup's dump into the store, unless the store has the dump.

        The context begins when the table of contents has arrived; the rest arrives in
        the context, and stays for the next run. Raises DownloadFailed, BadDump.
        """

    def refuse_unable(self, *, by_url: bool) -> None:
        """Raise MissingCurl where a host lacks curl for a `fetch` by a URL."""

    def fetch_commands(self, *, by_url: bool) -> list[str]:
        """The transfers that `fetch` would make, for a plan.

        `by_url`: the dump has a URL; else the source's own commands give it to us.
        """

    def restore_commands(self, into: Restore) -> list[str]:
        """The commands that restore a dump of `fetch`, for a plan."""

    def private(self, name: str) -> Dump:
        """Make an empty file that only its owner can read, for a dump of a push."""

    def remove(self, dump: Dump) -> int:
        """Remove a restored dump, with the files that exist for that dump alone.

        Returns the dump's bytes.
        """

    def remove_surplus(self, keep: int, pulled: Dump | None) -> dict[str, int]:
        """Remove dumps beyond the newest `keep` of each app, and cut-off parts.

        After a pull, only files of the pulled dump's app are removed; the pulled dump
        stays, however old. Returns the bytes of each removed file, by the file's name.
        """
