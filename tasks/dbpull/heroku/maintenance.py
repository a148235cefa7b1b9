"""An app's maintenance mode, in which visitors see only a notice."""

from __future__ import annotations

from dbpull.heroku.http import Api


def in_maintenance(api: Api, app: str) -> bool:
    """Whether the mode is on. Raises `HttpError`s. (Platform API: GET /apps/:app.)"""
    found = api.get(dict, api.platform, "apps", app, about=f"the app {app}")
    return bool(found.get("maintenance"))


def set_maintenance(api: Api, app: str, *, on: bool) -> None:
    """Switch the mode. Raises `HttpError`s. (Platform API: PATCH /apps/:app.)"""
    about = f"the maintenance mode of {app}"
    api.set("PATCH", api.platform, "apps", app, about=about, body={"maintenance": on})
