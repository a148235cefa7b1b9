"""Errors about a backup: which, and taking a new one."""

from __future__ import annotations

from collections.abc import Sequence

from dbpull.errors import Interrupted, PullError
from dbpull.errors.heroku.http import said
from dbpull.errors.sources import CAPTURE
from dbpull.errors.spelling import did_you_mean
from dbpull.naming import command


def _pick_up(backup: str) -> str:
    return f"pick it up with `{command('pull')} --backup={backup}`"


class UnknownBackup(PullError):
    """No backup has that id; `known` are some that exist, newest first."""

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"There is no backup {name[:40]!r}.",
            f"{did_you_mean(name, known)}There are {', '.join(known)};"
            f" `{command('backups')}` shows them all."
            if known
            else f"There are no backups at all. {CAPTURE}.",
        )


class OtherDatabase(PullError):
    """The backup asked for is one of another database of the app."""

    def __init__(self, backup: str, of: str, database: str) -> None:
        super().__init__(
            f"{backup} is a backup of {of}, not of {database}.",
            f"Add --database={of}, or choose another from `{command('backups')}`.",
        )


class BackupFailed(PullError):
    """The backup asked for is one that failed."""

    def __init__(self, backup: str) -> None:
        super().__init__(
            f"The backup {backup} failed at Heroku, so there is nothing to pull.",
            f"{CAPTURE}, or choose another from `{command('backups')}`.",
        )


class BackupCanceled(PullError):
    """The backup asked for is one that was canceled."""

    def __init__(self, backup: str) -> None:
        super().__init__(
            f"The backup {backup} was canceled, so there is nothing to pull.",
            f"{CAPTURE}, or choose another from `{command('backups')}`.",
        )


class BackupStillRunning(PullError):
    """The backup asked for is not finished."""

    def __init__(self, backup: str) -> None:
        super().__init__(
            f"The backup {backup} is still being taken.",
            f"Look with `{command('backups')}`; when it is finished,"
            f" {_pick_up(backup)}.",
        )


class BackupGone(PullError):
    """The backup existed when the list was read, and does not any more."""

    def __init__(self, backup: str) -> None:
        super().__init__(
            f"The backup {backup} has been deleted at Heroku.",
            f"{CAPTURE}, or choose another from `{command('backups')}`.",
        )


class BackupsUnsupported(PullError):
    """Heroku takes no logical backups of this plan."""

    def __init__(self, plan: str) -> None:
        super().__init__(
            f"Heroku takes no backups of databases on the plan {plan} (Shield).",
            "Make a dump yourself with pg_dump -Fc from inside the Shield space, and "
            f"restore it with `{command('restore')} --dump=FILE`.",
        )


class CaptureRefused(PullError):
    """Heroku refused to take a backup, with what it says."""

    def __init__(self, database: str, app: str, message: str) -> None:
        super().__init__(
            f"Heroku refuses to take a backup of {database} of {app}{said(message)}",
            "Change what it complains about, or pull an existing backup: "
            f"`{command('backups')}` shows them.",
        )


class CaptureInProgress(PullError):
    """A backup of this database is being taken already; `backup` where known."""

    def __init__(self, database: str, app: str, backup: str = "") -> None:
        which = f", {backup}," if backup else ""
        super().__init__(
            f"A backup of {database} of {app}{which} is being taken already.",
            f"Look with `{command('backups')}`; when it is finished, "
            + (_pick_up(backup) if backup else f"pull it with `{command('pull')}`")
            + ".",
        )


class CaptureFailed(PullError):
    """The new backup failed; `log` holds the server's last lines."""

    def __init__(self, backup: str, log: Sequence[str]) -> None:
        self.log = tuple(log)
        lines = "".join(f"\n    {line}" for line in log)
        super().__init__(
            f"The backup {backup} failed at Heroku"
            + (f"; the last it said:{lines}" if log else "."),
            "Run it again; if it fails again, ask Heroku support about this backup.",
        )


class CaptureCanceled(PullError):
    """Somebody canceled the new backup."""

    def __init__(self, backup: str) -> None:
        super().__init__(
            f"The backup {backup} was canceled at Heroku while it was being taken.",
            "Run it again, or ask who canceled it.",
        )


class CaptureLost(PullError):
    """The answer to the request got lost, and no new backup has appeared."""

    def __init__(self, database: str, app: str, why: str) -> None:
        super().__init__(
            f"A backup of {database} of {app} was asked for, but the answer got lost "
            f"({why.rstrip('.')}) and no new backup has appeared.",
            f"Look with `{command('backups')}` whether one appears; if not, run it"
            " again.",
        )


class CaptureUnseen(PullError):
    """The end of the backup was not seen before the deadline of `wait` seconds."""

    def __init__(self, backup: str, wait: float, why: str = "") -> None:
        last = f" ({why.rstrip('.')})" if why else ""
        super().__init__(
            f"The end of the backup {backup} was not seen within {_time(wait)}{last}.",
            f"It goes on at Heroku: {_pick_up(backup)} when it is finished, or wait "
            "longer with --wait.",
        )


class CaptureInterrupted(Interrupted):
    """Ctrl-C while waiting: Heroku goes on. `backup` is empty where not yet known."""

    midway = False

    def __init__(self, backup: str, *, code: int = 130) -> None:
        super().__init__(
            f"Stopped waiting for the backup {backup}, which goes on at Heroku."
            if backup
            else "Stopped while asking for a backup, which Heroku may have started.",
            f"When it is finished, {_pick_up(backup)}."
            if backup
            else f"Look with `{command('backups')}`.",
            code=code,
        )


def _time(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:.3g} h"
    return f"{seconds / 60:.3g} min" if seconds >= 60 else f"{seconds:.3g} s"
