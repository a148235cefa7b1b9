"""Errors about a push: an app's database to be replaced, and the way back."""

from __future__ import annotations

from dbpull.errors import PullError
from dbpull.naming import command


class PushError(PullError):
    """The app's database can't be replaced, or its replacement failed."""


class NothingToPush(PushError):
    """The local database does not exist, or is empty."""

    def __init__(self, label: str, why: str) -> None:
        super().__init__(
            f"{label} {why}: pushing it would only empty the app's database.",
            "Fill it first, or name another with --target.",
        )


class SameDatabase(PushError):
    """The local database is the app's own database."""

    def __init__(self, label: str, app: str) -> None:
        super().__init__(
            f"{label} and the database of {app} are the same one.",
            "Name your own with --target or DATABASE_URL.",
        )


class OlderServer(PushError):
    """The app's server is older than the local server."""

    def __init__(self, app: str, theirs: int, ours: int) -> None:
        super().__init__(
            f"{app} runs PostgreSQL {theirs}, and the local server is {ours}: what a"
            " newer one dumps need not go into an older one.",
            f"Push from a local PostgreSQL {theirs}, or upgrade the app's first.",
        )


class PushFailed(PushError):
    """A push failed, between the local dump and the restored database."""

    midway = True


class PutBackFailed(PushError):
    """Heroku could not put a backup back."""

    midway = True

    def __init__(self, backup: str, why: str) -> None:
        super().__init__(
            f"{backup} could not be put back: {why.rstrip('.')}.",
            f"Run `{command('push')} --undo` again, or `heroku pg:backups:restore"
            f" {backup}`.",
        )
