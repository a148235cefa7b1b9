"""The backup to pull. For several hosts, each question is asked once.

Without a host no answer is kept: each task of a run asks anew.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dbpull.console import Reporter
from dbpull.errors.sources import NoBackup, NoNewBackup
from dbpull.single_flight import SingleFlight, T
from dbpull.sources.source import Source, SourceBackup, SourceDatabase
from dbpull.words import age


@dataclass(frozen=True)
class Choice:
    """The backup to pull, None where one must be captured; and the reason in words."""

    backup: SourceBackup | None
    why: str


_databases: SingleFlight[SourceDatabase] = SingleFlight()
_choices: SingleFlight[Choice] = SingleFlight()
_backups: SingleFlight[SourceBackup] = SingleFlight()
_latest: SingleFlight[SourceBackup | None] = SingleFlight()


def database_of(source: Source, reporter: Reporter) -> SourceDatabase:
    """Ask the source for its database: reads only."""

    def ask() -> SourceDatabase:
        return source.open(reporter.for_all)

    return _once(_databases, source, ask, reporter.host)


def choose(
    database: SourceDatabase,
    *,
    backup: str | None,
    capture: bool,
    max_age: float,
    host: str = "",
) -> Choice:
    """Choose the named backup, the newest if young enough, or a capture.

    Raises NoNewBackup, and as the database's `named` does.
    """

    def ask() -> Choice:
        return _chosen(database, backup, max_age, capture=capture)

    return _once(_choices, ("choose", database, backup, capture), ask, host)


def _chosen(
    database: SourceDatabase, backup: str | None, max_age: float, *, capture: bool
) -> Choice:
    if backup:
        return Choice(database.named(backup), "asked for")
    if capture:
        if not database.takes_backups:
            raise NoNewBackup(database.label)
        return Choice(None, "asked for")
    try:
        newest = database.newest()
    except NoBackup:
        return Choice(None, "there is none yet")
    if database.takes_backups and datetime.now(UTC) - newest.taken > timedelta(
        seconds=max_age
    ):
        return Choice(None, f"the newest, {newest.id}, is {age(newest.taken)}")
    return Choice(newest, "the newest")


def latest(source: Source, reporter: Reporter, host: str) -> SourceBackup | None:
    """The newest finished backup that a source lists, asked with little patience."""

    def ask() -> SourceBackup | None:
        listed = source.backups(reporter)
        return next((backup for backup in listed if backup.is_finished), None)

    return _once(_latest, ("latest", source), ask, host)


def obtain(
    database: SourceDatabase, choice: Choice, wait: float, reporter: Reporter
) -> SourceBackup:
    """Wait for the end of the chosen backup; without one, capture a new backup."""

    def ask() -> SourceBackup:
        if choice.backup is None:
            what = "backup" if database.keeps_backups else "dump"
            reporter.for_all.say(f"A new {what} is needed: {choice.why}.")
            return captured(database, wait, reporter.for_all)
        backup = awaited(database, choice.backup, wait, reporter.for_all)
        note_another_server(database, backup, reporter.for_all)
        return backup

    uuid = choice.backup.uuid if choice.backup else None
    return _once(_backups, ("obtain", database, uuid), ask, reporter.host)


def existing(
    database: SourceDatabase, backup: str | None, wait: float, reporter: Reporter
) -> SourceBackup:
    """Wait for the end of the named or the newest backup; capture none.

    Raises NoBackup, and as the database's `named` does.
    """

    def ask() -> SourceBackup:
        named = database.named(backup) if backup else database.newest()
        found = awaited(database, named, wait, reporter.for_all)
        note_another_server(database, found, reporter.for_all)
        return found

    return _once(_backups, ("existing", database, backup), ask, reporter.host)


def capture(database: SourceDatabase, wait: float, reporter: Reporter) -> SourceBackup:
    """Capture a new backup and wait until it is finished."""

    def ask() -> SourceBackup:
        return captured(database, wait, reporter.for_all)

    return _once(_backups, ("capture", database), ask, reporter.host)


def captured(database: SourceDatabase, wait: float, reporter: Reporter) -> SourceBackup:
    """Take a new backup, in a step of the reporter.

    Where the source keeps none, the dump is taken when it is fetched.
    """
    if not database.keeps_backups:
        return database.capture(wait, lambda _done, _total: None)
    doing = f"Capturing a backup of {database.label}"
    with reporter.step("capture", doing, "bytes") as step:
        backup = database.capture(wait, step.progress)
        step.sentence = f"Captured {backup.id} of {database.label}"
    return backup


def note_another_server(
    database: SourceDatabase, backup: SourceBackup, reporter: Reporter
) -> None:
    """Note that the database has moved to another server since the backup."""
    then, now = backup.server, database.server
    if then and now and then != now:
        reporter.note(
            "It was taken from another server than the database has now: promoted, "
            "upgraded or failed over since."
        )


def awaited(
    database: SourceDatabase, backup: SourceBackup, wait: float, reporter: Reporter
) -> SourceBackup:
    """Wait for the end of a backup that is still being taken."""
    if backup.is_finished:
        return backup
    with reporter.step("capture", f"Waiting for {backup.id}", "bytes") as step:
        finished = backup.ended(wait, step.progress)
        step.sentence = f"{backup.id} of {database.label} is finished"
    return finished


def _once(
    answers: SingleFlight[T], question: Hashable, ask: Callable[[], T], host: str
) -> T:
    return answers(question, ask, host) if host else ask()
