"""Errors about a source: no name, no backup."""

from __future__ import annotations

from collections.abc import Collection

from dbpull.errors import PullError
from dbpull.naming import command, setting

CAPTURE = f"Take a new one with `{command('pull')} --capture`"


class NoSource(PullError):
    """No source is named, or several sources are."""


class SourceError(PullError):
    """Base: a source, a database or a backup there can't be used."""


class SourceInterrupted(PullError):
    """A dump was interrupted at the source, and may succeed at once if begun anew."""


class NoSuchBackup(PullError):
    """A source that keeps no backups has no dump here with an id."""

    def __init__(self, backup: str, source: str, known: Collection[str]) -> None:
        here = f"Those here are {', '.join(known)}" if known else "There is none yet"
        super().__init__(
            f"There is no dump {backup} of {source} here.",
            f"{here}; `{command('capture')}` takes a new one.",
        )


class NoBackup(PullError):
    """The database has no finished backup.

    `others` are databases with a finished backup; `unfinished` is the newest backup
    of this database with its state ("b102 failed").
    """

    def __init__(
        self,
        database: Collection[str],
        others: Collection[str] = (),
        unfinished: str = "",
    ) -> None:
        of = f" of the database {' or '.join(sorted(database))}" if database else ""
        but = f" (the newest one, {unfinished})" if unfinished else ""
        there = f", and {setting('database')} may name {', '.join(sorted(others))}"
        super().__init__(
            f"There is no finished backup{of}{but}.",
            f"{CAPTURE}{there if others else ''}.",
        )
