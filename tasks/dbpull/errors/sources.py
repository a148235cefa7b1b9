"""Errors about a source: no name, no backup."""

from __future__ import annotations

from collections.abc import Collection

from dbpull.errors import Interrupted, PullError
from dbpull.naming import command, setting

CAPTURE = f"Take a new one with `{command('pull')} --capture`"


class NoSource(PullError):
    """No source is named, or several sources are."""


class SourceError(PullError):
    """Base: a source, a database or a backup there can't be used."""


class SourceInterrupted(PullError):
    """A dump was interrupted at the source, and may succeed at once if begun anew."""


class NoNewBackup(PullError):
    """A source is one dump: no new backup can be taken of it."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"{source} is a dump: no new backup can be taken of it.",
            "Leave out --capture, or name the database as source.",
        )


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


class CaptureInterrupted(SourceError, Interrupted):
    """Ctrl-C while waiting: the provider goes on.

    `backup` is empty where it is not known yet.
    """

    midway = False

    def __init__(self, provider: str, backup: str, *, code: int = 130) -> None:
        super().__init__(
            f"Stopped waiting for the backup {backup}, which goes on at {provider}."
            if backup
            else f"Stopped while asking for a backup, which {provider} may have"
            " started.",
            f"When it is finished, {pick_up(backup)}."
            if backup
            else f"Look with `{command('backups')}`.",
            code=code,
        )


class CaptureUnseen(SourceError):
    """A backup was not finished in the seconds of `wait`; `trouble` came last."""

    def __init__(self, provider: str, backup: str, wait: float, trouble: str) -> None:
        last = f" ({trouble.rstrip('.')})" if trouble else ""
        later = (
            f"{pick_up(backup)} when it is finished"
            if backup
            else f"look with `{command('backups')}`"
        )
        which = f"the backup {backup}" if backup else "the new backup"
        super().__init__(
            f"The end of {which} was not seen within {_time(wait)}{last}.",
            f"It goes on at {provider}: {later}, or wait longer with --wait.",
        )


def pick_up(backup: str) -> str:
    """The commands for a backup that goes on at its provider."""
    return f"pick it up with `{command('pull')} --backup={backup}`"


def _time(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:.3g} h"
    return f"{seconds / 60:.3g} min" if seconds >= 60 else f"{seconds:.3g} s"
