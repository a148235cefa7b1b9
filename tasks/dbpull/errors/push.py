"""Errors about a push: an app's database to be replaced, and the way back."""

from __future__ import annotations

from collections.abc import Sequence

from dbpull.errors import PullError
from dbpull.naming import NAME, command, setting


class PushError(PullError):
    """The app's database can't be replaced, or could not be."""


class AppProtected(PushError):
    """The app is one that is never pushed to."""

    def __init__(self, app: str, pattern: str) -> None:
        super().__init__(
            f"{app} is protected: it fits {pattern!r} of {setting('protected')}.",
            "No flag overrides that. Whoever may decide it changes"
            f" {setting('protected')} in invoke.yaml.",
        )


class NothingToPush(PushError):
    """The local database is not there, or holds nothing."""

    def __init__(self, label: str, why: str) -> None:
        super().__init__(
            f"{label} {why}: pushing it would only empty the app's database.",
            "Fill it first, or name another with --target.",
        )


class SameDatabase(PushError):
    """The local database is the app's."""

    def __init__(self, label: str, app: str) -> None:
        super().__init__(
            f"{label} and the database of {app} are the same one.",
            "Name your own with --target or DATABASE_URL.",
        )


class OlderServer(PushError):
    """The app's server can't be restored into."""

    def __init__(self, app: str, theirs: int, ours: int) -> None:
        super().__init__(
            f"{app} runs PostgreSQL {theirs}, and the local server is {ours}: what a"
            " newer one dumps need not go into an older one.",
            f"Push from a local PostgreSQL {theirs}, or upgrade the app's first.",
        )


class LacksExtensions(PushError):
    """The app's server does not offer what the local database uses."""

    def __init__(self, app: str, names: Sequence[str]) -> None:
        super().__init__(
            f"The database of {app} can't have the extension{'s' * (len(names) > 1)}"
            f" {', '.join(names)}, which the local one uses.",
            "Drop it locally where nothing needs it (DROP EXTENSION).",
        )


class NoTls(PushError):
    """The client programs that would fit can't encrypt, and Heroku wants that."""

    def __init__(self, major: int, where: str) -> None:
        super().__init__(
            f"No pg_restore {major} or newer on {where} speaks TLS, which Heroku's"
            " servers demand (the embedded PostgreSQL's don't).",
            "Install PostgreSQL's client programs (Debian, Ubuntu: apt install"
            f" postgresql-client-{major}; macOS: brew install postgresql@{major}).",
        )


class NoRemoteUrl(PushError):
    """No config var holds the database's URL."""

    def __init__(self, app: str) -> None:
        super().__init__(
            f"No config var of {app} holds its database's URL.",
            "Check that the account of the token may read the app's config vars.",
        )


class Unconfirmed(PushError):
    """Nobody has said that the app's database may go."""

    def __init__(self, app: str, said: str = "") -> None:
        what = f"{said!r} is not {app}" if said else f"Nobody confirmed {app}"
        super().__init__(
            f"{what}, so nothing was done.",
            f"Add --confirm={app} where its database may go.",
        )


class OneHostOnly(PushError):
    """Several hosts were to push into one app."""

    def __init__(self) -> None:
        super().__init__(
            f"{NAME.task('push')} from several hosts would have them overwrite each"
            " other.",
            "Name one host with -H.",
        )


class NotEmptied(PushError):
    """After the reset the database was not empty, or did not answer."""

    midway = True

    def __init__(self, app: str, why: str) -> None:
        super().__init__(
            f"The database of {app} was reset, but {why}.",
            "Look at https://status.heroku.com, then run it again.",
        )


class PushFailed(PushError):
    """Something failed while the app's database was to be captured or replaced."""

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


class NothingPushed(PushError):
    """No push is known that could be undone."""

    def __init__(self, app: str) -> None:
        super().__init__(
            f"No push to {app} is known here.",
            "Name the backup that is to be put back: --backup=b101;"
            f" `{command('backups')}` lists them.",
        )


class DumpFailed(PushError):
    """pg_dump could not dump the local database."""

    midway = True

    def __init__(self, label: str, why: str) -> None:
        super().__init__(
            f"Dumping {label} failed: {why}.",
            "Run it again when that has been put right.",
        )
