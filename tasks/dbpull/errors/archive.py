"""Errors about a dump file: no dump, unreadable, cut short, damaged.

::

    BadDump
    ├── NotADump            another file: an error page, plain SQL, a packed file
    ├── DumpFolder          a folder
    ├── UnsupportedDump     a dump in a format or version that dbpull can't read
    ├── TruncatedDump       its end is missing
    └── DamagedDump         its parts contradict each other
"""

from __future__ import annotations

from shlex import quote

from dbpull.errors import PullError

AGAIN = "Fetch it again: remove the file, if it still exists, and run the same command."
THEIRS = "Name another with --dump, made by `pg_dump -Fc`. This file is kept as it is."


class BadDump(PullError):
    """Base: the file can't be used as a dump."""

    def of_the_user(self) -> BadDump:
        """The error for a file that dbpull neither made nor may remove."""
        return BadDump(self.what, THEIRS) if self.remedy == AGAIN else self


class DumpFolder(BadDump):
    """A folder was named in place of a file."""

    def __init__(self, name: str, *, dumped: bool) -> None:
        what = "a dump in pg_dump's directory format" if dumped else "a folder"
        remedy = "Name a dump in it: a file that `pg_dump -Fc` has written."
        if dumped:
            remedy = (
                f"`pg_restore --no-owner --no-acl -d DATABASE {quote(name)}` restores"
                " it; dbpull takes the file that `pg_dump -Fc` writes."
            )
        super().__init__(f"{name} is {what}, which dbpull can't read.", remedy)


class NotADump(BadDump):
    """The file does not begin like pg_dump's custom format."""

    def __init__(self, name: str, looks: str, remedy: str = AGAIN) -> None:
        super().__init__(
            f"{name} is no dump in pg_dump's custom format: {looks}.", remedy
        )


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
