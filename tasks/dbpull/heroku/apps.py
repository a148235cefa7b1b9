"""The choice of the Heroku app: by flag, setting, environment or git remote."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from dbpull.errors.heroku import HerokuError
from dbpull.errors.sources import NoSource
from dbpull.errors.spelling import did_you_mean
from dbpull.heroku.git import remotes
from dbpull.naming import setting, variable

_NAME = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class AppChoice:
    """An app, the alias that the user gave, and the origin of the choice.

    `origin` is "--app", "HEROKU_APP", "git remote heroku", …
    """

    name: str
    alias: str | None = None
    origin: str = ""
    near: str = ""
    """A question to the user where Heroku does not know the name."""

    @classmethod
    def of(cls, app: AppChoice | str) -> AppChoice:
        """The choice of an app by its bare name; raises `HerokuError`."""
        choice = app if isinstance(app, AppChoice) else cls(app)
        return choice.checked()

    def checked(self, aliases: Collection[str] = ()) -> AppChoice:
        """This choice, if an app can have its name; else raises `HerokuError`."""
        if _NAME.fullmatch(self.name) or _UUID.fullmatch(self.name):
            return self
        listed = ", ".join(sorted(aliases))
        known = f"Aliases in {setting('apps')}: {listed}." if aliases else ""
        advice = did_you_mean(self.name, aliases) or "Check the spelling. "
        raise HerokuError(
            f"{self.name[:80]!r} (from {self.origin or 'what was asked'}) cannot be the"
            " name of a Heroku app: those have 3 to 30 lower-case letters, digits and"
            " hyphens, a letter first.",
            f"{advice}{known}".strip(),
        )


def app_name(
    app: str | None,
    apps: Mapping[str, str],
    environ: Mapping[str, str],
    folder: Path,
    *,
    origin: str = "--app",
) -> AppChoice:
    """The app to pull from.

    `app` (a flag or setting, named by `origin`) wins, as an alias in `apps` or as a
    name; then HEROKU_APP; then the git remotes of `folder`. Raises `NoSource`,
    `HerokuError`.
    """
    if app:
        if app in apps:
            origin = f"{origin}, alias {app} in {setting('apps')}"
            return AppChoice(apps[app], app, origin).checked()
        near = did_you_mean(app, {*apps, *apps.values()})
        return AppChoice(app, None, origin, near).checked(apps)
    if name := environ.get("HEROKU_APP", "").strip():
        return AppChoice(name, None, "HEROKU_APP").checked()
    return _of_git(environ, folder).checked()


def _of_git(environ: Mapping[str, str], folder: Path) -> AppChoice:
    """The app of the git remote `heroku`, else of the only Heroku remote."""
    found = remotes(environ, folder)
    if not found.apps:
        raise NoSource(
            f"No Heroku app given{f' ({found.trouble})' if found.trouble else ''}.",
            f"Pass --app, set {setting('app')} in invoke.yaml, {variable('app')} or"
            " HEROKU_APP, or add the app's git remote (`heroku git:remote --app"
            " NAME`).",
        )
    if "heroku" not in found.apps and len(set(found.apps.values())) > 1:
        apps = [f"{app} (remote {remote})" for remote, app in found.apps.items()]
        raise NoSource(
            f"The git remotes here belong to several Heroku apps: {', '.join(apps)}.",
            f"Pass the one you mean, such as --app={next(iter(found.apps.values()))},"
            f" or set {setting('app')} in invoke.yaml.",
        )
    remote = "heroku" if "heroku" in found.apps else next(iter(found.apps))
    return AppChoice(found.apps[remote], None, f"git remote {remote}")
