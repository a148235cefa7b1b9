"""An app's databases: the database of a name, and Heroku's facts about it."""

from __future__ import annotations

from dataclasses import dataclass

from dbpull.errors.heroku import DatabaseNotReady, UnknownApp
from dbpull.errors.heroku_http import NoAccess
from dbpull.errors.http_api import NotFound
from dbpull.heroku.apps import AppChoice
from dbpull.heroku.attachments import Attachment, attached_to, resolve
from dbpull.heroku.http import Api
from dbpull.http_api.servers import ServerAddress
from dbpull.naming import setting


@dataclass(frozen=True)
class Database:
    """A Heroku Postgres add-on, seen from an app with an attachment to it.

    `id` is the add-on's uuid, `addon` its name, `plan` ("standard-0") the part after
    "heroku-postgresql:". Its backups are kept under `billing_app`, and their
    `from_name` is one of `names`: its attachments to that app, "DATABASE" or "NAVY".
    `name` is the name for messages.
    """

    id: str
    addon: str
    name: str
    app: str
    billing_app: str
    plan: str
    names: frozenset[str]


@dataclass(frozen=True)
class DatabaseInfo:
    """Heroku's facts about a database; None where Heroku does not tell.

    `version` is PostgreSQL's ("16.4"), `size` in bytes; `continuous_protection` means
    that large logical backups are likely to fail.
    """

    version: str | None
    size: int | None
    server: ServerAddress | None
    continuous_protection: bool


def database(api: Api, app: AppChoice | str, name: str = "DATABASE_URL") -> Database:
    """The database that `name` means for an app.

    `name` may be an attachment ("NAVY"), a config var or an add-on, also another app's
    ("shop::DATABASE"). Raises `UnknownApp` and other `HerokuError`s.
    (Platform API: POST /actions/addon-attachments/resolve.)
    """
    choice = AppChoice.of(app)
    other, colons, rest = name.partition("::")
    if colons:
        choice, name = AppChoice(other, None, setting("database")).checked(), rest
    attachment = resolve(api, choice, name)
    names = _names(api, attachment)
    return Database(
        id=attachment.addon_id,
        addon=attachment.addon,
        name=_preferred(names, attachment.short_name),
        app=choice.name,
        billing_app=attachment.billing_app,
        plan=attachment.plan.partition(":")[2],
        names=names,
    )


def database_info(api: Api, database: Database) -> DatabaseInfo:
    """The facts that the Data API tells about a database.

    Raises `DatabaseNotReady` and `HttpError`s. (GET /client/v11/databases/:id; the
    user and password of its `resource_url` are dropped.)
    """
    about = f"the database {database.addon}"
    path = ("client", "v11", "databases", database.id)
    try:
        found = api.get(dict, api.data, *path, about=about)
    except NotFound:
        raise DatabaseNotReady(database.addon, database.app) from None
    values = _info(found.get("info"))
    size = found.get("num_bytes")
    versions = [found.get("postgres_version"), *values.get("PG Version", ())]
    protection = map(str, values.get("Continuous Protection", ()))
    return DatabaseInfo(
        version=next((str(version) for version in versions if version), None),
        size=size if type(size) is int else None,
        server=ServerAddress.of(found.get("resource_url")),
        continuous_protection=any("On" in value for value in protection),
    )


def _names(api: Api, attachment: Attachment) -> frozenset[str]:
    """The names of the add-on in its billing app: each may be a `from_name`.

    Empty where the billing app is another app that we can't see: there, this app's name
    for the add-on (DATABASE) may belong to another database.
    """
    try:
        attached = attached_to(api, AppChoice(attachment.billing_app))
    except (NoAccess, UnknownApp):
        attached = []
    same = (each for each in attached if each.addon_id == attachment.addon_id)
    own = {each.short_name for each in same}
    if not own and attachment.app == attachment.billing_app:
        return frozenset({attachment.short_name})
    return frozenset(own)


def _preferred(names: frozenset[str], own: str) -> str:
    """The name for messages: the user's own, if backups may have that name."""
    if own in names or not names:
        return own
    return "DATABASE" if "DATABASE" in names else min(names)


def _info(found: object) -> dict[str, list[object]]:
    """The `info` of a database: [{name, values}], whose values may be numbers."""
    items = found if isinstance(found, list) else []
    return {
        str(item.get("name")): item["values"]
        for item in items
        if isinstance(item, dict) and isinstance(item.get("values"), list)
    }
