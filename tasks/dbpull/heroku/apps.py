"""The choice of the Heroku app: by flag, setting, environment or git remote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dbpull.errors.heroku import BadAppName, NoApp, SeveralApps
from dbpull.errors.spelling import did_you_mean
from dbpull.heroku.git import remotes
from dbpull.naming import setting

_NAME = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class AppChoice:
    """An app, the alias that the user gave for it, and the origin of that choice.

    `origin` is "--app", "HEROKU_APP", "git remote heroku", …
    """

    name: str
    alias: str | None = None
    origin: str = ""
    near: str = ""
    """A question to the user where Heroku does not know the name."""

    @classmethod
    def of(cls, app: AppChoice | str) -> AppChoice:
        """The choice of an app by its bare name; raises `BadAppName`."""
        choice = app if isinstance(app, AppChoice) else cls(app)
        return choice.checked()

    def checked(self, aliases: Mapping[str, str] | None = None) -> AppChoice:
        """This choice, if its name can be an app's; raises `BadAppName`."""
        if not _NAME.fullmatch(self.name) and not _UUID.fullmatch(self.name):
            raise BadAppName(self.name, self.origin or "what was asked", aliases or {})
        return self


def app_name(
    app: str | None,
    apps: Mapping[str, str],
    environ: Mapping[str, str],
    folder: Path,
    *,
    origin: str = "--app",
) -> AppChoice:
    """The app to pull from.

    `app` (a flag or setting; `origin` says which) wins, as an alias in `apps` or as a
    name; then HEROKU_APP; then the git remotes of `folder`. Raises `NoApp`,
    `SeveralApps`, `BadAppName`.
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
        raise NoApp(found.trouble)
    if "heroku" not in found.apps and len(set(found.apps.values())) > 1:
        raise SeveralApps(found.apps)
    remote = "heroku" if "heroku" in found.apps else next(iter(found.apps))
    return AppChoice(found.apps[remote], None, f"git remote {remote}")
