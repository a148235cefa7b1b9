"""What there is to pull: at Heroku, here, and what the target holds now."""

from __future__ import annotations

import sys
from datetime import datetime

from dbpull import console, dumps, heroku
from dbpull.console import Teller
from dbpull.dumps import Dump, shown
from dbpull.errors import PullError
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.steps import aim, source
from dbpull.steps.run import told
from dbpull.target.provenance import Provenance
from dbpull.words import age, ago, listed, size

HEADER = ("backup", "database", "taken", "of", "status", "here")


def tell(settings: Settings, shell: Shell) -> None:
    """List the backups and dumps on stdout, the target's rows on stderr.

    Where Heroku can't be asked, what is here is listed before that is said.
    """
    with told() as teller:
        app = source.app(settings).name
        here = {
            (dump.backup, dump.taken): dump for dump in dumps.here(settings.path, app)
        }
        trouble = None
        found: list[heroku.Backup] = []
        try:
            found = _backups(settings, teller)
        except PullError as error:
            trouble = error
        console.rows(HEADER, _rows(app, found, list(here.values()), settings))
        if not found and not here and not trouble:
            teller.say(f"{app} has no backups; `invoke db.capture` takes one.")
        _tell_target(settings, shell, teller)
        if trouble:
            raise trouble


def _backups(settings: Settings, teller: Teller) -> list[heroku.Backup]:
    """The app's backups; another app's where that one owns the database."""
    chosen = source.app(settings)
    found = heroku.backups(source.api(teller), chosen)
    if not found:
        database = heroku.database(source.api(teller), chosen, settings.database)
        if database.billing_app != chosen.name:
            found = heroku.backups(source.api(teller), database.billing_app)
    return found


def _rows(
    app: str, found: list[heroku.Backup], here: list[Dump], settings: Settings
) -> list[list[str]]:
    lines = []
    for backup in found:
        dump = Dump.named(settings.path, app, backup.id, backup.created_at)
        path = shown(dump.path) if dump.path.exists() else "-"
        of = size(backup.source_size) if backup.source_size else "-"
        status = "scheduled, " * backup.scheduled + backup.status
        lines.append(
            [backup.id, backup.database, _taken(backup.created_at), of, status, path]
        )
    known = {line[-1] for line in lines}
    lines += [
        [dump.backup, "-", _taken(dump.taken), "-", "here only", shown(dump.path)]
        for dump in here
        if shown(dump.path) not in known
    ]
    return lines


def _taken(moment: datetime | None) -> str:
    """An age for people, a time for scripts."""
    if sys.stdout.isatty() or moment is None:
        return age(moment)
    return moment.isoformat()


def _tell_target(settings: Settings, shell: Shell, teller: Teller) -> None:
    """Where the target's rows came from; nothing where it can't be asked."""
    if not settings.target and not aim.embedded_runs():
        return
    try:
        at = aim.take(settings, shell, teller)
    except PullError as error:
        teller.note(error.what)
        return
    known = Provenance.from_comment(at.state.comment)
    if not known:
        teller.say(f"{at.connection.label} was not filled by dbpull.")
        return
    skipped = f", without the rows of {listed(known.skipped)}" if known.skipped else ""
    teller.say(
        f"{at.connection.label} holds {known.app} {known.backup}, {age(known.taken)}"
        f"{skipped}; pulled {ago(known.pulled)}."
    )
