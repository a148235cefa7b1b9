"""Errors about Heroku: an app, its databases, its backups.

Callers redact text from Heroku (see `dbpull.redact`).
"""

from __future__ import annotations

from collections.abc import Collection

from dbpull.errors.sources import CAPTURE, SourceError, pick_up
from dbpull.naming import command, setting


class HerokuError(SourceError):
    """Base: an app, a database or a backup at Heroku can't be used."""


class UnknownApp(HerokuError):
    """Heroku knows no app of the name, or does not show the app to this token.

    `near` asks whether a similar name was meant.
    """

    def __init__(self, name: str, origin: str = "", near: str = "") -> None:
        source = f" (from {origin})" if origin else ""
        super().__init__(
            f"Heroku knows no app called {name!r}{source}.",
            f"{near}Check the spelling, and that the account of the token has access to"
            " it.",
        )


class AmbiguousDatabase(HerokuError):
    """A name fits several databases; `matches` are their known names."""

    def __init__(self, name: str, app: str, matches: Collection[str]) -> None:
        listed = f": {', '.join(sorted(matches))}" if matches else ""
        super().__init__(
            f"The name {name[:80]!r} fits several databases of {app}{listed}.",
            f"Set {setting('database')} to the one you mean, such as DATABASE_URL.",
        )


class DatabaseNotReady(HerokuError):
    """Heroku's Data API does not know the database (yet)."""

    def __init__(self, addon: str, app: str) -> None:
        super().__init__(
            f"The database {addon} of {app} is not there (yet): Heroku may still be "
            "setting it up.",
            "Wait until the dashboard shows it as available, then run it again.",
        )


class BackupGone(HerokuError):
    """The backup was in the list, and has been deleted since."""

    def __init__(self, backup: str) -> None:
        super().__init__(
            f"The backup {backup} has been deleted at Heroku.",
            f"{CAPTURE}, or choose another from `{command('backups')}`.",
        )


class CaptureInProgress(HerokuError):
    """A backup of this database is being taken already; `backup` where known."""

    def __init__(self, database: str, app: str, backup: str = "") -> None:
        which = f", {backup}," if backup else ""
        super().__init__(
            f"A backup of {database} of {app}{which} is being taken already.",
            f"Look with `{command('backups')}`; when it is finished, "
            + (pick_up(backup) if backup else f"pull it with `{command('pull')}`")
            + ".",
        )
