"""Questions to Heroku that are asked once for all hosts: the database, the backups.

Without a host no answer is kept: each task of a run asks anew.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from dbpull.console import Reporter
from dbpull.heroku import Backup
from dbpull.settings import Settings
from dbpull.single_flight import SingleFlight, T
from dbpull.sources import heroku_app
from dbpull.sources.heroku_app import Source

_found: SingleFlight[Source] = SingleFlight()
_backups: SingleFlight[Backup] = SingleFlight()


def _once(
    answers: SingleFlight[T],
    question: Hashable,
    ask: Callable[[], T],
    reporter: Reporter,
) -> T:
    return answers(question, ask, reporter.host) if reporter.host else ask()


def find(settings: Settings, reporter: Reporter) -> Source:
    """Find the app's database; see `heroku_app.find`."""

    def ask() -> Source:
        return heroku_app.find(settings, reporter.for_all)

    return _once(_found, (settings.app, settings.database), ask, reporter)


def obtain(
    found: Source,
    settings: Settings,
    reporter: Reporter,
    *,
    backup: str | None,
    capture: bool,
) -> Backup:
    """Choose the backup to pull; capture one where needed or asked for."""

    def ask() -> Backup:
        age = settings.max_age
        choice = heroku_app.choose(found, backup=backup, capture=capture, max_age=age)
        return heroku_app.obtain(found, choice, settings.wait, reporter.for_all)

    question = "obtain", found.label, found.database.id, backup, capture
    return _once(_backups, question, ask, reporter)


def existing(
    found: Source, settings: Settings, reporter: Reporter, backup: str | None
) -> Backup:
    """Find the backup named, or the newest; see `heroku_app.existing`."""

    def ask() -> Backup:
        return heroku_app.existing(found, backup, settings.wait, reporter.for_all)

    question = "existing", found.label, found.database.id, backup
    return _once(_backups, question, ask, reporter)


def capture(found: Source, settings: Settings, reporter: Reporter) -> Backup:
    """Capture a new backup; see `heroku_app.capture`."""

    def ask() -> Backup:
        return heroku_app.capture(found, settings.wait, reporter.for_all)

    question = "capture", found.label, found.database.id
    return _once(_backups, question, ask, reporter)
