"""The protocols of a source: its name, its database, its backups."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from dbpull.console import Reporter
from dbpull.target.guard import Address

Progress = Callable[[int, int | None], None]
"""Gets the bytes of a backup taken so far, and the database's bytes if known."""


@dataclass(frozen=True)
class SourceBackup:
    """A backup that a source keeps or is taking; its dump is downloaded by a URL."""

    id: str
    uuid: str
    """Unique among all backups of all sources."""
    source: str
    """The source's name in the names of dumps."""
    database: str
    """The database's name in the source's list of backups."""
    taken: datetime
    status: str
    is_finished: bool
    size: int | None
    """The database's bytes at the backup; None where the source does not tell."""
    server: Address | None
    """The server of the database when the backup was taken."""
    requests: Sequence[str]
    """The requests that give the URL, for a plan."""
    url: Callable[[], str] = field(compare=False, repr=False)
    """Asks for a fresh URL of the dump: a secret."""
    ended: Callable[[float, Progress], SourceBackup] = field(compare=False, repr=False)
    """Waits so many seconds for the backup's end, and returns the finished backup."""


class SourceDatabase(Protocol):
    """A source's database, found by asking the source."""

    @property
    def label(self) -> str:
        """The source as messages name it: `myapp-staging-eu (staging)`."""

    @property
    def about(self) -> str:
        """The source, who named it, and the database's name there, for a plan."""

    @property
    def version(self) -> str | None:
        """The server's version (`16.4`); None where the source does not tell."""

    @property
    def size(self) -> int | None:
        """The database's bytes; None where the source does not tell."""

    @property
    def server(self) -> Address | None:
        """The database's present server; None where the source does not tell."""

    @property
    def capture_requests(self) -> Sequence[str]:
        """The requests that take a backup and give its URL, for a plan."""

    def newest(self) -> SourceBackup:
        """The newest finished backup of the database. Raises NoBackup."""

    def named(self, backup: str) -> SourceBackup:
        """The backup with an id, finished or still being taken.

        Raises PullError for an unknown id, and for a backup of another database.
        """

    def capture(self, wait: float, progress: Progress) -> SourceBackup:
        """Take a new backup, and wait so many seconds for its end."""


class Source(Hashable, Protocol):
    """A source that the settings name, not asked yet; can be compared."""

    @property
    def name(self) -> str:
        """The source's name."""

    @property
    def name_of_dumps(self) -> str:
        """The source's name in the names of dumps."""

    def refuse_unable(self, reporter: Reporter) -> None:
        """Raise the refusals that need no network: no token, say."""

    def open(self, reporter: Reporter) -> SourceDatabase:
        """Ask the source for its database: reads only."""

    def backups(self, reporter: Reporter) -> list[SourceBackup]:
        """The backups that the source keeps, newest first, of any state."""
