"""A Heroku app as the source: its app name, database and backups."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from dbpull import heroku
from dbpull.console import Reporter
from dbpull.errors.heroku import (
    NoAccess,
    NoApp,
    NoBackup,
    OtherDatabase,
    SeveralApps,
)
from dbpull.errors.heroku.http import HttpError
from dbpull.project import PROJECT
from dbpull.settings import Settings
from dbpull.signals import SIGNALS
from dbpull.words import age, size

one_at_a_time = threading.Lock()
"""The lock of the HTTP session that all hosts share: only one thread may use it."""


@dataclass(frozen=True)
class Source:
    """An app's database at Heroku."""

    api: heroku.Api
    app: heroku.AppChoice
    database: heroku.Database
    info: heroku.DatabaseInfo

    @property
    def label(self) -> str:
        """The app as messages name it: `myapp-staging-eu (staging)`."""
        alias = f" ({self.app.alias})" if self.app.alias else ""
        return f"{self.app.name}{alias}"

    def url(self, backup: heroku.Backup) -> Callable[[], str]:
        """A function that asks Heroku for a fresh URL of a backup's dump."""

        def fresh() -> str:
            with one_at_a_time:
                return heroku.download_url(self.api, backup)

        return fresh


@dataclass(frozen=True)
class Choice:
    """The backup to pull, None where one must be captured; and the reason in words."""

    backup: heroku.Backup | None
    why: str


def api(reporter: Reporter, *, patience: float = 30.0) -> heroku.Api:
    """Heroku's APIs with our credentials; the reporter notes why a request waits.

    `patience`: the seconds for which a failed request is repeated.
    """
    shared = _api()
    shared.patience = patience
    shared.notice = reporter.for_all.note
    shared.sleep = SIGNALS.pause
    return shared


def forget() -> None:
    """Drop the APIs and their token: in a process that lives on, it may change."""
    _api.cache_clear()


@cache
def _api() -> heroku.Api:
    """The APIs of this process, made once: finding the token may take seconds."""
    return heroku.Api.from_environment(os.environ)


def app(settings: Settings) -> heroku.AppChoice:
    """The app that the settings name, without a request. Raises NoApp and the like."""
    origin = settings.origins["app"]
    return heroku.app_name(
        settings.app, settings.apps, os.environ, PROJECT.folder, origin=origin
    )


def app_of_dumps(settings: Settings) -> str | None:
    """The app whose dumps are meant; None where no app is named.

    For the database of another app (other::DATABASE), that other app.
    """
    other, colons, _ = settings.database.partition("::")
    if colons:
        return other
    # Without an app, `db.restore` takes the newest dump of any app.
    with suppress(NoApp, SeveralApps):
        return app(settings).name
    return None


def refuse_unknown(settings: Settings, reporter: Reporter) -> None:
    """Raise NoApp, NoToken and the like: the refusals that need no network."""
    app(settings)
    api(reporter)


@contextmanager
def spelled(app: heroku.AppChoice) -> Iterator[None]:
    """Ask, in errors about an unknown app, whether one of a similar name was meant."""
    try:
        yield
    except NoAccess as error:
        raise HttpError(error.what, f"{app.near}{error.remedy}") from None


def find(settings: Settings, reporter: Reporter) -> Source:
    """Ask Heroku for the app's database: reads only."""
    chosen, asked = app(settings), api(reporter)
    with spelled(chosen):
        database = heroku.database(asked, chosen, settings.database)
    return Source(asked, chosen, database, heroku.database_info(asked, database))


def choose(
    source: Source, *, backup: str | None, capture: bool, max_age: float
) -> Choice:
    """The backup to pull: the one named, the newest if young enough, or none.

    Raises OtherDatabase, UnknownBackup and the like.
    """
    if capture and not backup:
        return Choice(None, "asked for")
    known = heroku.backups(source.api, source.database.billing_app)
    if backup:
        return Choice(_named(source, known, backup), "asked for")
    try:
        newest = heroku.newest(known, source.database.names)
    except NoBackup:
        return Choice(None, "there is none yet")
    if datetime.now(UTC) - newest.created_at > timedelta(seconds=max_age):
        return Choice(None, f"the newest, {newest.id}, is {age(newest.created_at)}")
    return Choice(newest, "the newest")


def existing(
    source: Source, backup: str | None, wait: float, reporter: Reporter
) -> heroku.Backup:
    """The backup named, or the newest; never a new one.

    Raises NoBackup, OtherDatabase, UnknownBackup and the like.
    """
    known = heroku.backups(source.api, source.database.billing_app)
    if backup:
        found = _ended(source, _named(source, known, backup), wait, reporter)
    else:
        found = heroku.newest(known, source.database.names)
    _note_another_server(source, found, reporter)
    return found


def capture(source: Source, wait: float, reporter: Reporter) -> heroku.Backup:
    """Capture a new backup and wait until it is finished."""
    doing = f"Capturing a backup of {source.label}"
    with reporter.step("capture", doing, "bytes") as step:
        backup = heroku.capture(
            source.api, source.database, wait=wait, progress=step.progress
        )
        step.sentence = f"Captured {backup.id} of {source.label}"
    return backup


def obtain(
    source: Source, choice: Choice, wait: float, reporter: Reporter
) -> heroku.Backup:
    """The chosen backup, once it is finished; a new one where the choice has none."""
    if choice.backup is None:
        reporter.say(f"A new backup is needed: {choice.why}.")
        return capture(source, wait, reporter)
    backup = _ended(source, choice.backup, wait, reporter)
    told = f"Backup {backup.id} of {source.label}, {age(backup.created_at)}"
    if backup.source_size:
        told += f", from a database of {size(backup.source_size)}"
    reporter.say(f"{told}.")
    _note_another_server(source, backup, reporter)
    return backup


def _named(source: Source, known: list[heroku.Backup], backup: str) -> heroku.Backup:
    """The backup with an id; raises OtherDatabase where it is another database's."""
    found = heroku.find(known, backup, or_running=True)
    names = source.database.names
    # Heroku does not tell the database of every backup, nor all names of a database.
    if names and found.database and not heroku.of_database([found], names):
        of = heroku.short(found.database)
        raise OtherDatabase(found.id, of, source.database.name)
    return found


def _note_another_server(
    source: Source, backup: heroku.Backup, reporter: Reporter
) -> None:
    then, now = backup.server, source.info.server
    if then and now and then != now:
        reporter.note(
            "It was taken from another server than the database has now: promoted, "
            "upgraded or failed over since."
        )


def _ended(
    source: Source, backup: heroku.Backup, wait: float, reporter: Reporter
) -> heroku.Backup:
    """The backup once it is finished: waits for one that is still being taken."""
    if backup.status == "finished":
        return backup
    with reporter.step("capture", f"Waiting for {backup.id}", "bytes") as step:
        ended = heroku.follow(source.api, backup, wait=wait, progress=step.progress)
        step.sentence = f"{backup.id} of {source.label} is finished"
    return ended
