"""Errors about a dump file: no dump, unreadable, cut short, damaged.

::

    BadDump
    ├── NotADump            something else: an error page, plain SQL, a packed file
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
        """The error to raise for a file that dbpull has not made, nor may remove."""
        return BadDump(self.what, THEIRS) if self.remedy == AGAIN else self


class DumpFolder(BadDump):
    """A folder was named, where a file should be."""

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
    """Its first bytes are not those of pg_dump's custom format."""

    def __init__(self, name: str, looks: str, remedy: str = AGAIN) -> None:
        super().__init__(
            f"{name} is no dump in pg_dump's custom format: {looks}.", remedy
        )


class UnsupportedDump(BadDump):
    """pg_dump made it, but in a format or version that dbpull can't read.

    `found` is what it is; `version` the archive's (1, 14, 0), or None where the format
    is another one.
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
    """The file ends too early. `offset` is its end, in bytes; `where` what is cut."""

    def __init__(self, name: str, offset: int, where: str) -> None:
        self.offset = offset
        self.where = where
        super().__init__(
            f"{name} is cut short: it ends at byte {offset}, {where}.", AGAIN
        )


class DamagedDump(BadDump):
    """Its structure is broken. `offset` is where, in bytes; `found` what is wrong."""

    def __init__(self, name: str, offset: int, found: str) -> None:
        self.offset = offset
        self.found = found
        super().__init__(f"{name} is damaged at byte {offset}: {found}.", AGAIN)
