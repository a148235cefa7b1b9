"""What there is to pull: at Heroku, here, and what the target holds now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from dbpull import console, heroku
from dbpull.console import Reporter
from dbpull.dumps import stores
from dbpull.dumps.names import Dump
from dbpull.dumps.store import DumpStore
from dbpull.errors import PullError
from dbpull.flows.run import reporting
from dbpull.project import own_folder
from dbpull.settings import KEYS, Settings
from dbpull.shell import Shell
from dbpull.sources import heroku_app
from dbpull.target.provenance import Provenance
from dbpull.words import age, ago, listed, size

if TYPE_CHECKING:
    from dbpull.target.opened import Target

GLANCE = 5.0
"""Seconds of patience with Heroku: who only looks wants what is here, at least."""
HEADER = ("backup", "database", "age", "database size", "status", "local file")


def tell(settings: Settings, shell: Shell) -> None:
    """List the backups and dumps on stdout, the target's rows on stderr.

    Where no app is named or Heroku can't be asked, what is here is listed before that
    is said.
    """
    with reporting("", shell) as reporter:
        store = stores.store_for(settings, shell)
        here = store.here(heroku_app.app_of_dumps(settings))
        trouble = None
        found: list[heroku.Backup] = []
        try:
            app = heroku_app.app(settings)
            with heroku_app.one_at_a_time, heroku_app.spelled(app):
                found = _backups(settings, reporter)
            if not found and not here:
                takes = shell.command_for("db.capture")
                reporter.say(f"{app.name} has no backups; `{takes}` takes one.")
        except PullError as error:
            trouble = error
        _tell_rows(found, here, store, shell.host)
        _tell_target(settings, shell, reporter)
        if trouble:
            raise trouble


def _backups(settings: Settings, reporter: Reporter) -> list[heroku.Backup]:
    """The app's backups, or those of a database that was asked for by name.

    Of another app's database that is attached here, that app has the backups.
    """
    chosen, api = heroku_app.app(settings), heroku_app.api(reporter, patience=GLANCE)
    named = settings.database != KEYS["database"].default
    found = [] if named else heroku.backups(api, chosen)
    if found:
        return found
    database = heroku.database(api, chosen, settings.database)
    if named:
        known = heroku.backups(api, database.billing_app)
        return heroku.of_database(known, database.names)
    if database.billing_app != chosen.name:
        return heroku.backups(api, database.billing_app)
    return []


def _tell_rows(
    found: list[heroku.Backup], here: list[Dump], store: DumpStore, host: str
) -> None:
    """The table; on a host each row begins with its name."""
    lines = _rows(found, here, store)
    if not host:
        console.rows(HEADER, lines)
        return
    console.rows(("host", *HEADER), [[host, *line] for line in lines])


def _rows(
    found: list[heroku.Backup], here: list[Dump], store: DumpStore
) -> list[list[str]]:
    """A row for each backup, with its dump where that is here; then the other dumps."""
    left = {(dump.backup, dump.taken): dump for dump in here}
    lines = []
    for backup in found:
        taken = backup.created_at
        dump = left.pop((backup.id, taken.replace(microsecond=0)), None)
        of = size(backup.source_size) if backup.source_size else "-"
        status = "scheduled, " * backup.scheduled + backup.status
        path = store.shown(dump) if dump else "-"
        lines.append([backup.id, backup.database, _taken(taken), of, status, path])
    lines += [
        [dump.backup, "-", _taken(dump.taken), "-", "here only", store.shown(dump)]
        for dump in left.values()
    ]
    return lines


def _taken(moment: datetime | None) -> str:
    """An age for people, a time for scripts."""
    if console.is_drawn() or moment is None:
        return age(moment)
    return moment.isoformat()


def _tell_target(settings: Settings, shell: Shell, reporter: Reporter) -> None:
    """Where the target's rows came from; nothing where it can't be asked."""
    if not settings.target and (shell.host or not own_folder().exists()):
        return
    # Not at the top: most of what `db.backups` takes is for imports.
    from dbpull.flows import kept
    from dbpull.target import embedded_server, opened

    if not settings.target and not embedded_server.is_set_up():
        return
    try:
        target = opened.take(settings, shell, reporter)
    except PullError as error:
        reporter.note(error.what)
        return
    _tell_rows_of(target, reporter)
    kept.tell_beside(target, reporter)


def _tell_rows_of(target: Target, reporter: Reporter) -> None:
    known = Provenance.from_comment(target.state.comment)
    if not known:
        reporter.say(f"{target.connection.label} was not filled by dbpull.")
        return
    skipped = f", without the rows of {listed(known.skipped)}" if known.skipped else ""
    absent = f", without {listed(known.absent)}" if known.absent else ""
    reporter.say(
        f"{target.connection.label} holds {known.label}, {age(known.taken)}"
        f"{skipped}{absent}; pulled {ago(known.pulled)}."
    )
