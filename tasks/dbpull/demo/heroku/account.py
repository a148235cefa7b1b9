"""The apps, add-ons and attachments of the pretended Heroku account.

A database belongs to the app that pays for it (the billing app); an attachment names
the database in that app or in another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit
from uuid import NAMESPACE_URL, uuid5

from dbpull.demo.heroku import config, source

COLOURS = ("RED", "BLUE", "GREEN", "NAVY", "AMBER", "BLACK", "CYAN", "GOLD", "JADE")


@dataclass(frozen=True)
class AppRef:
    """An app's id and name, by which other objects refer to the app."""

    id: str
    name: str


@dataclass(frozen=True)
class Addon:
    """A database that somebody pays for."""

    id: str
    name: str
    app: AppRef
    plan: str
    source: str = field(repr=False)
    url: str = field(repr=False)
    """The URL that Heroku shows: user, password, host, port, database name."""

    @property
    def shared(self) -> bool:
        """Whether its plan shares a server: Heroku tells less of such databases."""
        tier = self.plan.partition(":")[2]
        return tier.startswith(("essential", "dev", "basic", "mini", "hobby"))


@dataclass(frozen=True)
class Attached:
    """An attachment: an add-on's name in an app."""

    id: str
    name: str
    app: AppRef
    addon: Addon

    @property
    def config_var(self) -> str:
        """The config var that holds the add-on's URL."""
        return f"{self.name}_URL"

    def answers_to(self, wanted: str) -> bool:
        """Whether Heroku's resolver takes `wanted` for this attachment."""
        names = (self.name, self.config_var, self.id, self.addon.name, self.addon.id)
        return wanted.casefold() in [name.casefold() for name in names]


class HerokuAccount:
    """The configured apps, add-ons and attachments, each with an id."""

    def __init__(self, configured: config.Config) -> None:
        self.token = configured.token
        self.in_maintenance: set[str] = set()
        """The ids of the apps whose maintenance mode is on."""
        self.configured = {app.name: app for app in configured.apps}
        self.apps = {
            app.name: AppRef(_made_up("app", app.name), app.name)
            for app in configured.apps
        }
        self.addons = {
            database.name: self._addon(self.apps[app.name], database)
            for app in configured.apps
            for database in app.databases
        }
        self.attached = [
            self._attached(self.apps[app.name], attachment)
            for app in configured.apps
            for attachment in app.attachments or _usual(app.databases)
        ]

    def app(self, wanted: str) -> AppRef | None:
        """The app with this name or id."""
        return next((a for a in self.apps.values() if wanted in (a.name, a.id)), None)

    def addon(self, wanted: str) -> Addon | None:
        """The database with this add-on name or id."""
        found = (a for a in self.addons.values() if wanted in (a.name, a.id))
        return next(found, None)

    def attachments(self, app: AppRef) -> list[Attached]:
        """The attachments of an app, to its own databases and other apps'."""
        return [attached for attached in self.attached if attached.app == app]

    def config_vars(self, app: AppRef) -> dict[str, str]:
        """An app's config vars, secrets included as in Heroku's own answer."""
        urls = {a.config_var: a.addon.url for a in self.attachments(app)}
        return urls | dict(self.configured[app.name].config_vars)

    def from_name(self, addon: Addon) -> str:
        """A database's name in transfers: its attachment's, without the prefix."""
        names = [a.name for a in self.attachments(addon.app) if a.addon == addon]
        if "DATABASE" in names:
            return "DATABASE"
        return (names or [addon.name])[0].removeprefix("HEROKU_POSTGRESQL_")

    def _addon(self, app: AppRef, database: config.DatabaseConfig) -> Addon:
        return Addon(
            id=_made_up("addon", database.name),
            name=database.name,
            app=app,
            plan=database.plan,
            source=database.source,
            url=database.shown_url or shown_url(database.source),
        )

    def _attached(self, app: AppRef, attachment: config.AttachmentConfig) -> Attached:
        if attachment.database not in self.addons:
            raise ValueError(f"no app has a database called {attachment.database!r}")
        return Attached(
            id=_made_up("attachment", app.name, attachment.name),
            name=attachment.name,
            app=app,
            addon=self.addons[attachment.database],
        )


def shown_url(url: str) -> str:
    """A source's URL as Heroku writes URLs: `postgres://`, always with a password.

    A URL without a password gets a made-up password, with characters that must be
    percent-encoded, as a real password may have.
    """
    wanted = source.environment(url)
    host = wanted.get("PGHOST", "localhost")
    host = "localhost" if host.startswith("/") else host
    user = quote(wanted.get("PGUSER", "u4f1n2k"), safe="")
    password = quote(wanted.get("PGPASSWORD", "p4ss/w@rd:of%heroku"), safe="")
    name = quote(wanted.get("PGDATABASE", ""), safe="")
    bracketed = f"[{host}]" if ":" in host else host
    port = wanted.get("PGPORT", "5432")
    return urlsplit(f"postgres://{user}:{password}@{bracketed}:{port}/{name}").geturl()


def _usual(
    databases: tuple[config.DatabaseConfig, ...],
) -> list[config.AttachmentConfig]:
    names = ["DATABASE", *(f"HEROKU_POSTGRESQL_{colour}" for colour in COLOURS)]
    return [
        config.AttachmentConfig(name, database.name)
        for name, database in zip(names, databases, strict=False)
    ]


def _made_up(*parts: str) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join(parts)))
