"""The protocols of a source: its name, its database, its backups."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from dbpull.console import Reporter
from dbpull.download.arriving import PrintedDump, Scratch
from dbpull.target.guard import Address

Progress = Callable[[int, int | None], None]
"""Gets the bytes of a backup taken so far, and the database's bytes if known."""


@dataclass(frozen=True)
class ByUrl:
    """A dump that is downloaded from a URL, here or by a host."""

    url: Callable[[], str] = field(compare=False, repr=False)
    """Asks for a fresh URL of the dump: a secret."""
    requests: Sequence[str] = ()
    """The requests that give the URL, for a plan."""


Start = Callable[[Reporter, Scratch], AbstractContextManager[PrintedDump]]


@dataclass(frozen=True)
class ByProgram:
    """A dump that a program prints: it can't be resumed, nor read by a host."""

    start: Start = field(compare=False, repr=False)
    """Starts the program; leaving the context ends it and all that it needs."""
    commands: Sequence[str] = ()
    """The commands that are run, without secrets, for a plan."""
    expected: int | None = None
    """The database's bytes at the source, if known: the dump's are not."""


@dataclass(frozen=True)
class ByFile:
    """A dump in a file or folder of this machine, which stays as it is."""

    path: Path


Way = ByUrl | ByProgram | ByFile
"""The way by which a backup's dump gets here."""


@dataclass(frozen=True)
class SourceBackup:
    """A backup that a source keeps or can take."""

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
    way: Way
    ended: Callable[[float, Progress], SourceBackup] = field(compare=False, repr=False)
    """Waits so many seconds for the backup's end, and returns the finished backup."""


@dataclass(frozen=True)
class DatabaseIdentity:
    """A database by its server's own number: the same through a tunnel, too."""

    system_identifier: str
    """Of pg_control_system(); a replica has its primary's, and a
    server whose files were copied has the number of the first."""
    dbname: str
    started: str = ""
    """When the server was started, in seconds since 1970; "" for a replica."""


class SourceDatabase(Protocol):
    """A source's database, found by asking the source."""

    @property
    def label(self) -> str:
        """The source as messages name it: `myapp-staging-eu (staging)`."""

    @property
    def about(self) -> str:
        """The source, who named it, and the database's name there, for a plan."""

    @property
    def name_of_dumps(self) -> str:
        """The database's name in the names of dumps.

        That of its source, or more exact: where a URL led, or what a command printed.
        """

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
    def identity(self) -> DatabaseIdentity | None:
        """The database by its server's own number; None where that is unknown."""

    @property
    def keeps_backups(self) -> bool:
        """Whether the source keeps backups; else a dump is taken as it is fetched."""

    @property
    def takes_backups(self) -> bool:
        """Whether a new backup can be taken: not of a file."""

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


@runtime_checkable
class SourceWithAccount(Protocol):
    """A source that knows us by an account."""

    def account(self, reporter: Reporter) -> str:
        """The account in words, and where its token is from."""
