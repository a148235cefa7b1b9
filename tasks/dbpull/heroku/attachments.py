"""What ties a database to an app: add-on attachments, and which one a name means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dbpull.errors.heroku import (
    AmbiguousDatabase,
    NoAccess,
    NoDatabases,
    NotFound,
    Refused,
    UnknownApp,
    UnknownDatabase,
)
from dbpull.heroku.apps import AppChoice
from dbpull.heroku.http import ATTACHMENTS, Api

_SERVICE = "heroku-postgresql:"
_PREFIX = "HEROKU_POSTGRESQL_"


@dataclass(frozen=True)
class Attachment:
    """A Heroku Postgres add-on under a name ("DATABASE") in an app.

    `namespace` ("credential:reader") is None for the default credential;
    `config_vars` are names alone.
    """

    name: str
    app: str
    namespace: str | None
    config_vars: tuple[str, ...]
    addon_id: str
    addon: str
    billing_app: str
    plan: str

    @property
    def short_name(self) -> str:
        """As transfers say it: NAVY for HEROKU_POSTGRESQL_NAVY."""
        return short(self.name)


def short(name: str) -> str:
    """An attachment's name without the prefix that Heroku gives it."""
    return name.upper().removeprefix(_PREFIX)


def attached_to(api: Api, app: AppChoice) -> list[Attachment]:
    """The databases attached to an app; raises `UnknownApp` and `HttpError`s.

    (Platform API: GET /apps/:app/addon-attachments.)
    """
    about = f"the databases of {app.name}"
    path = ("apps", app.name, "addon-attachments")
    try:
        found = api.get(list, api.platform, *path, about=about, headers=ATTACHMENTS)
    except NotFound:
        raise UnknownApp(app.name, app.origin) from None
    return _understood(found)


def apps_with(api: Api, addon_id: str) -> set[str]:
    """The apps that an add-on is attached to, as far as our account may see them.

    Raises `HttpError`s. (Platform API: GET /addons/:addon/addon-attachments.)
    """
    about = "the apps that share the database"
    path = ("addons", addon_id, "addon-attachments")
    found = api.get(list, api.platform, *path, about=about, headers=ATTACHMENTS)
    return {one.app for one in _understood(found)}


def resolve(api: Api, app: AppChoice, name: str) -> Attachment:
    """The one attachment that a name means for an app; raises as `database` does."""
    about = f"the database {name} of {app.name}"
    try:
        found = api.post(
            list,
            api.platform,
            *("actions", "addon-attachments", "resolve"),
            about=about,
            headers=ATTACHMENTS,
            body={"addon_attachment": name, "app": app.name},
            repeatable=True,  # it only looks something up
        )
    except NotFound as error:
        if error.resource == "app":
            raise UnknownApp(app.name, app.origin) from None
        found = []
    except Refused as error:
        if error.error_id == "multiple_matches":
            raise AmbiguousDatabase(name, app.name, ()) from None
        raise
    matches = _understood(found) or _of_config_var(api, app, name)
    return _one(matches, name, app.name)


def _of_config_var(api: Api, app: AppChoice, name: str) -> list[Attachment]:
    """Attachments whose URL a config var called `name` (or `name`_URL) repeats."""
    there = attached_to(api, app)
    if not there:
        raise NoDatabases(app.name)
    about = f"the config vars of {app.name}"
    try:
        config = api.get(
            dict, api.platform, "apps", app.name, "config-vars", about=about
        )
    except NoAccess:  # a token that may read the app need not read these
        config = {}
    wanted = {config.get(name), config.get(f"{name}_URL")} - {None}
    matches = [
        one for one in there if wanted & {config.get(var) for var in one.config_vars}
    ]
    if not matches:
        raise UnknownDatabase(name, app.name, {one.short_name for one in there})
    return matches


def _one(matches: Sequence[Attachment], name: str, app: str) -> Attachment:
    """The match, of several the one that a person would mean."""
    default = [one for one in matches if one.namespace is None] or list(matches)
    # Several names of one database are no ambiguity: its backups are the same.
    if len({one.addon_id for one in default}) > 1:
        raise AmbiguousDatabase(name, app, {one.short_name for one in default})
    asked = short(name.removesuffix("_URL"))
    names = (asked, "DATABASE")
    preferred = (one for one in default for want in names if one.short_name == want)
    return next(preferred, default[0])


def _understood(found: Sequence[Any]) -> list[Attachment]:
    """The attachments among JSON objects that are of Heroku Postgres."""
    attachments = []
    for item in found:
        try:
            attachment = _attachment(item)
        except (KeyError, TypeError, AttributeError):
            continue
        if attachment.plan.startswith(_SERVICE):
            attachments.append(attachment)
    return attachments


def _attachment(item: Any) -> Attachment:
    addon = item["addon"]
    return Attachment(
        name=str(item["name"]),
        app=str(item["app"]["name"]),
        namespace=item.get("namespace"),
        config_vars=tuple(map(str, item.get("config_vars") or ())),
        addon_id=str(addon["id"]),
        addon=str(addon["name"]),
        billing_app=str(addon["app"]["name"]),
        plan=str(addon["plan"]["name"]),
    )
