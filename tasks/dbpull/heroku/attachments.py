"""Add-on attachments, which tie databases to an app; the attachment of a name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dbpull.errors.heroku import AmbiguousDatabase, HerokuError, UnknownApp
from dbpull.errors.heroku_http import NoAccess
from dbpull.errors.http_api import NotFound, RequestRefused
from dbpull.errors.spelling import did_you_mean
from dbpull.heroku.apps import AppChoice
from dbpull.heroku.http import ATTACHMENTS, Api
from dbpull.naming import setting

_SERVICE = "heroku-postgresql:"
_PREFIX = "HEROKU_POSTGRESQL_"


@dataclass(frozen=True)
class Attachment:
    """An attachment: the name ("DATABASE") of a Heroku Postgres add-on in an app.

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
        """The name in transfers: NAVY for HEROKU_POSTGRESQL_NAVY."""
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
        raise UnknownApp(app.name, app.origin, app.near) from None
    return _understood(found)


def apps_with(api: Api, addon_id: str) -> set[str]:
    """The apps that an add-on is attached to, as far as our account may see them.

    Raises `HttpError`s. (Platform API: GET /addons/:addon/addon-attachments.)
    """
    about = "the apps that share the database"
    path = ("addons", addon_id, "addon-attachments")
    found = api.get(list, api.platform, *path, about=about, headers=ATTACHMENTS)
    return {attachment.app for attachment in _understood(found)}


def resolve(api: Api, app: AppChoice, name: str) -> Attachment:
    """The attachment that a name means for an app; raises as `database` does."""
    about = f"the database {name} of {app.name}"
    try:
        found = api.post(
            list,
            api.platform,
            *("actions", "addon-attachments", "resolve"),
            about=about,
            headers=ATTACHMENTS,
            body={"addon_attachment": name, "app": app.name},
            repeatable=True,  # the POST only reads
        )
    except NotFound as error:
        if error.resource == "app":
            raise UnknownApp(app.name, app.origin, app.near) from None
        found = []
    except RequestRefused as error:
        if error.error_id == "multiple_matches":
            raise AmbiguousDatabase(name, app.name, ()) from None
        raise
    matches = _understood(found) or _of_config_var(api, app, name)
    return _best(matches, name, app.name)


def _of_config_var(api: Api, app: AppChoice, name: str) -> list[Attachment]:
    """Attachments with the URL that the config var `name` (or `name`_URL) holds."""
    attached = attached_to(api, app)
    if not attached:
        raise HerokuError(
            f"The app {app.name} has no Heroku Postgres database.",
            "Check that it is the app you mean (--app).",
        )
    about = f"the config vars of {app.name}"
    try:
        config = api.get(
            dict, api.platform, "apps", app.name, "config-vars", about=about
        )
    except NoAccess:  # a token for the app may lack access to its config vars
        config = {}
    wanted = {config.get(name), config.get(f"{name}_URL")} - {None}
    matches = [
        each for each in attached if wanted & set(map(config.get, each.config_vars))
    ]
    if not matches:
        known = {each.short_name for each in attached}
        near = did_you_mean(short(name).removesuffix("_URL"), known)
        raise HerokuError(
            f"The app {app.name} has no database called {name[:80]!r}.",
            f"{near}Name one of these (--database, or {setting('database')}):"
            f" {', '.join(sorted(known))}.",
        )
    return matches


def _best(matches: Sequence[Attachment], name: str, app: str) -> Attachment:
    """The match; of several matches, the most likely one."""
    default = [each for each in matches if each.namespace is None] or list(matches)
    # Several attachments of one database are not ambiguous: they share its backups.
    if len({each.addon_id for each in default}) > 1:
        raise AmbiguousDatabase(name, app, {each.short_name for each in default})
    asked = short(name.removesuffix("_URL"))
    names = (asked, "DATABASE")
    preferred = (each for each in default for want in names if each.short_name == want)
    return next(preferred, default[0])


def _understood(found: Sequence[Any]) -> list[Attachment]:
    """The Heroku Postgres attachments among JSON objects."""
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
