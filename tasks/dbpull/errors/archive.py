"""Errors about a dump file: no dump, unreadable, cut short, damaged.

::

    BadDump
    ├── NotADump            another file: an error page, plain SQL, a packed file
    ├── PhysicalBackup      a server's own files
    ├── DamagedLayer        the gzip or tar around it is cut or damaged
    ├── NoDumpFolder        a folder that is no dump in directory format
    ├── UnsupportedDump     a dump in a format or version that dbpull can't read
    ├── TruncatedDump       its end is missing
    └── DamagedDump         its parts contradict each other
"""

from __future__ import annotations

from dbpull.errors import PullError

AGAIN = "Fetch it again: remove the file, if it still exists, and run the same command."
ACCEPTED = (
    "Accepted are pg_dump's formats -Fc, -Fd and -Ft, also with gzip or in a tar file."
)
THEIRS = f"{ACCEPTED} This file is kept as it is."


class BadDump(PullError):
    """Base: the file can't be used as a dump."""

    def of_the_user(self) -> BadDump:
        """The error for a file that dbpull neither made nor may remove."""
        return BadDump(self.what, THEIRS) if self.remedy == AGAIN else self


class NoDumpFolder(BadDump):
    """A folder without the toc.dat of pg_dump's directory format."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is a folder without a dump: toc.dat is missing.",
            f"Name a dump in it. {ACCEPTED}",
        )


class PhysicalBackup(BadDump):
    """A tar with the files of a PostgreSQL server (pg_basebackup and its like)."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is a physical backup: a server's own files, not one database.",
            "Start a server of its version on these files, and dump the database there"
            " with `pg_dump -Fc`.",
        )


class DamagedLayer(BadDump):
    """The gzip or tar around a dump ends too early, or contradicts itself."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} is cut short or damaged: it can't be unpacked to its end.", AGAIN
        )


class NotADump(BadDump):
    """The file does not begin like pg_dump's custom format."""

    def __init__(self, name: str, looks: str, remedy: str = AGAIN) -> None:
        self.name, self.looks = name, looks
        super().__init__(f"{name} is no dump that pg_restore reads: {looks}.", remedy)

    def at_its_host(self) -> NotADump:
        """The error for a file of which only the first bytes have been fetched."""
        if self.remedy != AGAIN:
            return self
        again = "Check the source, then run the same command again."
        return NotADump(self.name, self.looks, f"{again} {ACCEPTED}")


class UnsupportedDump(BadDump):
    """pg_dump made the file in a format or version that dbpull can't read.

    `found` words the format; `version` is the archive's (1, 14, 0), or None for another
    format.
    """

    def __init__(
        self,
        name: str,
        found: str,
        remedy: str,
        version: tuple[int, int, int] | None = None,
    ) -> None:
        self.found = found
        self.version = version
        super().__init__(f"{name} is {found}, which dbpull can't read.", remedy)


class TruncatedDump(BadDump):
    """The file ends too early: at `offset`, in bytes; `where` words the cut part."""

    def __init__(self, name: str, offset: int, where: str) -> None:
        self.offset = offset
        self.where = where
        super().__init__(
            f"{name} is cut short: it ends at byte {offset}, {where}.", AGAIN
        )


class DamagedDump(BadDump):
    """The file's structure is broken at `offset`, in bytes; `found` words the fault."""

    def __init__(self, name: str, offset: int, found: str) -> None:
        self.offset = offset
        self.found = found
        super().__init__(f"{name} is damaged at byte {offset}: {found}.", AGAIN)
