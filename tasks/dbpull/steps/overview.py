"""What there is to pull: at Heroku, here, and what the target holds now."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from dbpull import console, heroku
from dbpull.console import Teller
from dbpull.dumps import Dump
from dbpull.errors import PullError
from dbpull.project import own_folder
from dbpull.settings import KEYS, Settings
from dbpull.shell import Shell
from dbpull.steps import source, stocks
from dbpull.steps.run import told
from dbpull.steps.stock import Stock
from dbpull.target.provenance import Provenance
from dbpull.words import age, ago, listed, size

if TYPE_CHECKING:
    from dbpull.steps.aim import Aim

GLANCE = 5.0
"""Seconds of patience with Heroku: who only looks wants what is here, at least."""
HEADER = ("backup", "database", "taken", "of", "status", "here")


def tell(settings: Settings, shell: Shell) -> None:
    """List the backups and dumps on stdout, the target's rows on stderr.

    Where no app is named or Heroku can't be asked, what is here is listed before that
    is said.
    """
    with told("", shell) as teller:
        stock = stocks.of(settings, shell)
        here = stock.here(source.app_of_dumps(settings))
        trouble = None
        found: list[heroku.Backup] = []
        try:
            app = source.app(settings)
            with source.one_at_a_time, source.spelled(app):
                found = _backups(settings, teller)
            if not found and not here:
                takes = shell.command_for("db.capture")
                teller.say(f"{app.name} has no backups; `{takes}` takes one.")
        except PullError as error:
            trouble = error
        _tell_rows(found, here, stock, shell.host)
        _tell_target(settings, shell, teller)
        if trouble:
            raise trouble


def _backups(settings: Settings, teller: Teller) -> list[heroku.Backup]:
    """The app's backups, or those of a database that was asked for by name.

    Of another app's database that is attached here, that app has the backups.
    """
    chosen, api = source.app(settings), source.api(teller, patience=GLANCE)
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
    found: list[heroku.Backup], here: list[Dump], stock: Stock, host: str
) -> None:
    """The table; on a host each row begins with its name."""
    lines = _rows(found, here, stock)
    if not host:
        console.rows(HEADER, lines)
        return
    console.rows(("host", *HEADER), [[host, *line] for line in lines])


def _rows(
    found: list[heroku.Backup], here: list[Dump], stock: Stock
) -> list[list[str]]:
    """A row for each backup, with its dump where that is here; then the other dumps."""
    left = {(dump.backup, dump.taken): dump for dump in here}
    lines = []
    for backup in found:
        taken = backup.created_at
        dump = left.pop((backup.id, taken.replace(microsecond=0)), None)
        of = size(backup.source_size) if backup.source_size else "-"
        status = "scheduled, " * backup.scheduled + backup.status
        path = stock.shown(dump) if dump else "-"
        lines.append([backup.id, backup.database, _taken(taken), of, status, path])
    lines += [
        [dump.backup, "-", _taken(dump.taken), "-", "here only", stock.shown(dump)]
        for dump in left.values()
    ]
    return lines


def _taken(moment: datetime | None) -> str:
    """An age for people, a time for scripts."""
    if console.is_drawn() or moment is None:
        return age(moment)
    return moment.isoformat()


def _tell_target(settings: Settings, shell: Shell, teller: Teller) -> None:
    """Where the target's rows came from; nothing where it can't be asked."""
    if not settings.target and (shell.host or not own_folder().exists()):
        return
    # Not at the top: most of what `db.backups` takes is for imports.
    from dbpull.steps import aim, embedded_server, kept

    if not settings.target and not embedded_server.is_set_up():
        return
    try:
        at = aim.take(settings, shell, teller)
    except PullError as error:
        teller.note(error.what)
        return
    _tell_rows_of(at, teller)
    kept.tell_beside(at, teller)


def _tell_rows_of(at: Aim, teller: Teller) -> None:
    known = Provenance.from_comment(at.state.comment)
    if not known:
        teller.say(f"{at.connection.label} was not filled by dbpull.")
        return
    skipped = f", without the rows of {listed(known.skipped)}" if known.skipped else ""
    absent = f", without {listed(known.absent)}" if known.absent else ""
    teller.say(
        f"{at.connection.label} holds {known.label}, {age(known.taken)}"
        f"{skipped}{absent}; pulled {ago(known.pulled)}."
    )
