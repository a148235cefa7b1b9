"""A Heroku app as a source: its name, its database and backups."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

from dbpull import heroku
from dbpull.console import Reporter
from dbpull.errors.heroku import HerokuError
from dbpull.errors.heroku_http import NoAccess
from dbpull.errors.http_api import HttpError
from dbpull.keys import KEYS
from dbpull.naming import command
from dbpull.project import PROJECT
from dbpull.settings import Settings
from dbpull.signals import SIGNALS
from dbpull.sources.source import ByUrl, Progress, SourceBackup

_one_at_a_time = threading.Lock()
"""The lock of the HTTP session that all hosts share: only one thread may use it."""
_GLANCE = 2.0
"""Seconds for which a failed list of backups is repeated: dumps are listed, too."""


@dataclass(frozen=True)
class HerokuApp:
    """A Heroku app that the settings name; Heroku is not asked yet."""

    app: heroku.AppChoice
    database: str
    """The app's database, as in the setting `database`."""

    @property
    def name(self) -> str:
        """The app's name."""
        return self.app.name

    @property
    def name_of_dumps(self) -> str:
        """The app that has the database: `other` for other::DATABASE."""
        return other_app(self.database) or self.name

    def refuse_unable(self, reporter: Reporter) -> None:
        """Raise the refusals that need no network: no token, say."""
        _shared_api(reporter)

    def account(self, reporter: Reporter) -> str:
        """The account of the token, and the token's origin. Raises HttpError."""
        api = _shared_api(reporter)
        with _one_at_a_time:
            name = heroku.account(api)
        return f"{name}, by the token from {api.origin}".removeprefix(", ")

    def open(self, reporter: Reporter) -> HerokuDatabase:
        """Ask Heroku for the app's database: reads only."""
        api = _shared_api(reporter)
        with self._spelled():
            database = heroku.database(api, self.app, self.database)
        info = heroku.database_info(api, database)
        return HerokuDatabase(api, self.app, database, info)

    def backups(self, reporter: Reporter) -> list[SourceBackup]:
        """The app's backups, or the backups of a database that the settings name."""
        api = _shared_api(reporter, patience=_GLANCE)
        with _one_at_a_time, self._spelled():
            return [_offered(api, self.name_of_dumps, kept) for kept in self._kept(api)]

    def _kept(self, api: heroku.Api) -> list[heroku.Backup]:
        """The backups as Heroku lists them.

        The backups of a database shared by another app are kept under that app.
        """
        named = self.database != KEYS["database"].default
        found = [] if named else heroku.backups(api, self.app)
        if found:
            return found
        database = heroku.database(api, self.app, self.database)
        if named:
            known = heroku.backups(api, database.billing_app)
            return heroku.of_database(known, database.names)
        if database.billing_app != self.name:
            return heroku.backups(api, database.billing_app)
        return []

    @contextmanager
    def _spelled(self) -> Iterator[None]:
        """Ask, in errors about an unknown app, whether a similar name was meant."""
        try:
            yield
        except NoAccess as error:
            raise HttpError(error.what, f"{self.app.near}{error.remedy}") from None


@dataclass(frozen=True)
class HerokuDatabase:
    """An app's database at Heroku."""

    api: heroku.Api
    app: heroku.AppChoice
    database: heroku.Database
    info: heroku.DatabaseInfo
    identity = None
    keeps_backups = takes_backups = True

    @property
    def label(self) -> str:
        """The app as messages name it: `myapp-staging-eu (staging)`."""
        alias = f" ({self.app.alias})" if self.app.alias else ""
        return f"{self.app.name}{alias}"

    @property
    def about(self) -> str:
        """The app, who named it, and the database's name, for a plan."""
        return f"{self.label} [{self.app.origin}], {self.database.name}"

    @property
    def name_of_dumps(self) -> str:
        """The app that has the database."""
        return self.database.app

    @property
    def version(self) -> str | None:
        """The version of the database's server."""
        return self.info.version

    @property
    def size(self) -> int | None:
        """The database's bytes."""
        return self.info.size

    @property
    def server(self) -> heroku.ServerAddress | None:
        """The database's present server."""
        return self.info.server

    @property
    def capture_requests(self) -> Sequence[str]:
        """The requests that take a backup and give its URL, for a plan."""
        taking = f"POST {self.api.data}/client/v11/databases/{self.database.id}/backups"
        return taking, _url_request(self.api, self.database.billing_app, "NEW")

    def newest(self) -> SourceBackup:
        """The newest finished backup of the database. Raises NoBackup."""
        return self._offered(heroku.newest(self._known(), self.database.names))

    def named(self, backup: str) -> SourceBackup:
        """The backup with an id. Raises HerokuError."""
        found = heroku.find(self._known(), backup, or_running=True)
        names = self.database.names
        # Heroku does not tell every backup's database, nor all names of a database.
        if names and found.database and not heroku.of_database([found], names):
            of = heroku.short(found.database)
            raise HerokuError(
                f"{found.id} is a backup of {of}, not of {self.database.name}.",
                f"Add --database={of}, or choose another from `{command('backups')}`.",
            )
        return self._offered(found)

    def capture(self, wait: float, progress: Progress) -> SourceBackup:
        """Take a new backup, and wait for its end."""
        return self._offered(
            heroku.capture(self.api, self.database, wait=wait, progress=progress)
        )

    def _known(self) -> list[heroku.Backup]:
        with _one_at_a_time:
            return heroku.backups(self.api, self.database.billing_app)

    def _offered(self, kept: heroku.Backup) -> SourceBackup:
        return _offered(self.api, self.database.app, kept)


def _offered(api: heroku.Api, app: str, kept: heroku.Backup) -> SourceBackup:
    """A backup at Heroku as a source's; its dump is named after the app."""

    def fresh() -> str:
        with _one_at_a_time:
            return heroku.download_url(api, kept)

    def ended(wait: float, progress: Progress) -> SourceBackup:
        followed = heroku.follow(api, kept, wait=wait, progress=progress)
        return _offered(api, app, followed)

    return SourceBackup(
        id=kept.id,
        uuid=kept.uuid,
        source=app,
        database=kept.database,
        taken=kept.created_at,
        status="scheduled, " * kept.scheduled + kept.status,
        is_finished=kept.status == "finished",
        size=kept.source_size,
        server=kept.server,
        way=ByUrl(fresh, (_url_request(api, kept.app, kept.number),)),
        ended=ended,
    )


def named(settings: Settings, app: str | None = None, origin: str = "") -> HerokuApp:
    """An app, else the one that the setting `app` names, without a request.

    Raises as `app_name` does.
    """
    app, origin = app or settings.app, origin or settings.origins["app"]
    chosen = heroku.app_name(
        app, settings.apps, os.environ, PROJECT.folder, origin=origin
    )
    return HerokuApp(chosen, settings.database)


def other_app(database: str) -> str:
    """The app of other::DATABASE; "" for a database of the app itself."""
    other, colons, _ = database.partition("::")
    return other if colons else ""


def forget() -> None:
    """Drop the APIs and their token: the token may change in a long-lived process."""
    _api.cache_clear()


@cache
def _api() -> heroku.Api:
    """The APIs of this process, made once: finding the token may take seconds."""
    return heroku.Api.from_environment(os.environ)


def _shared_api(reporter: Reporter, *, patience: float = 30.0) -> heroku.Api:
    """Heroku's APIs with our credentials; the reporter notes why a request waits.

    `patience`: the seconds for which a failed request is repeated.
    """
    shared = _api()
    shared.patience = patience
    shared.notice = reporter.for_all.note
    shared.sleep = SIGNALS.pause
    return shared


def _url_request(api: heroku.Api, app: str, number: int | str) -> str:
    """The request for the URL of a backup, for a plan."""
    transfers = f"{api.data}/client/v11/apps/{app}/transfers"
    return f"POST {transfers}/{number}/actions/public-url"
