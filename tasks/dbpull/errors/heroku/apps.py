"""Errors about an app, and about its databases."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from dbpull.errors import PullError
from dbpull.errors.sources import NoSource
from dbpull.errors.spelling import did_you_mean
from dbpull.naming import setting, variable


class NoApp(NoSource):
    """No place we look names an app; `trouble` is what git had to say."""

    def __init__(self, trouble: str = "") -> None:
        super().__init__(
            f"No Heroku app given{f' ({trouble})' if trouble else ''}.",
            f"Pass --app, set {setting('app')} in invoke.yaml, {variable('app')} or"
            " HEROKU_APP, or add the app's git remote (`heroku git:remote --app"
            " NAME`).",
        )


class SeveralApps(NoSource):
    """The git repository has remotes of several apps; `apps` is remote: app."""

    def __init__(self, apps: Mapping[str, str]) -> None:
        listed = ", ".join(f"{app} (remote {remote})" for remote, app in apps.items())
        super().__init__(
            f"The git remotes here belong to several Heroku apps: {listed}.",
            f"Pass the one you mean, such as --app={next(iter(apps.values()))}, or "
            f"set {setting('app')} in invoke.yaml.",
        )


class BadAppName(PullError):
    """Something that cannot be the name of a Heroku app."""

    def __init__(self, name: str, origin: str, aliases: Collection[str] = ()) -> None:
        listed = ", ".join(sorted(aliases))
        known = f"Aliases in {setting('apps')}: {listed}." if aliases else ""
        advice = did_you_mean(name, aliases) or "Check the spelling. "
        super().__init__(
            f"{name[:80]!r} (from {origin}) cannot be the name of a Heroku app: those "
            "have 3 to 30 lower-case letters, digits and hyphens, a letter first.",
            f"{advice}{known}".strip(),
        )


class UnknownApp(PullError):
    """Heroku knows no app of that name, or does not show it to this token.

    `near` asks whether a similar name was meant.
    """

    def __init__(self, name: str, origin: str = "", near: str = "") -> None:
        source = f" (from {origin})" if origin else ""
        super().__init__(
            f"Heroku knows no app called {name!r}{source}.",
            f"{near}Check the spelling, and that the account of the token has access to"
            " it.",
        )


class NoDatabases(PullError):
    """The app has no Heroku Postgres attached."""

    def __init__(self, app: str) -> None:
        super().__init__(
            f"The app {app} has no Heroku Postgres database.",
            "Check that it is the app you mean (--app).",
        )


class UnknownDatabase(PullError):
    """The app has databases, but none of that name; `valid` are their names."""

    def __init__(self, name: str, app: str, valid: Collection[str]) -> None:
        super().__init__(
            f"The app {app} has no database called {name[:80]!r}.",
            f"{did_you_mean(_bare(name), valid)}Name one of these (--database, or"
            f" {setting('database')}): {', '.join(sorted(valid))}.",
        )


def _bare(name: str) -> str:
    """A database's name as the list has it: NAVY for HEROKU_POSTGRESQL_NAVY_URL."""
    return name.upper().removeprefix("HEROKU_POSTGRESQL_").removesuffix("_URL")


class AmbiguousDatabase(PullError):
    """A name fits several databases; `matches` are theirs, as far as known."""

    def __init__(self, name: str, app: str, matches: Collection[str]) -> None:
        listed = f": {', '.join(sorted(matches))}" if matches else ""
        super().__init__(
            f"The name {name[:80]!r} fits several databases of {app}{listed}.",
            f"Set {setting('database')} to the one you mean, such as DATABASE_URL.",
        )


class DatabaseNotReady(PullError):
    """Heroku's Data API does not know the database (yet)."""

    def __init__(self, addon: str, app: str) -> None:
        super().__init__(
            f"The database {addon} of {app} is not there (yet): Heroku may still be "
            "setting it up.",
            "Wait until the dashboard shows it as available, then run it again.",
        )
