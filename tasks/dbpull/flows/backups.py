"""The flow of `db.backups`: the backups, the dumps, the target's provenance."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from dbpull import console
from dbpull.console import Reporter
from dbpull.dumps import stores
from dbpull.dumps.kept_here import kept_here
from dbpull.dumps.names import Dump
from dbpull.dumps.store import DumpStore
from dbpull.errors import PullError
from dbpull.errors.sources import NoSource
from dbpull.flows.run import reporting
from dbpull.naming import command
from dbpull.project import own_folder
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.sources.kinds import name_of_dumps, source_of
from dbpull.sources.source import SourceBackup
from dbpull.target.provenance import Provenance
from dbpull.words import age, ago, listed, size

if TYPE_CHECKING:
    from dbpull.target.opened import Target

HEADER = ("backup", "database", "age", "database size", "status", "local file")


def tell(settings: Settings, shell: Shell) -> None:
    """List the backups and dumps on stdout, the target's rows on stderr.

    Where no source is named, or the source can't be asked, the dumps are listed before
    the error is raised.
    """
    with reporting("", shell) as reporter:
        store = stores.store_for(settings, shell)
        failure: PullError | None = None
        found: list[SourceBackup] = []
        try:
            source = source_of(settings, kept_here(settings))
        except NoSource as error:
            dumps, failure = store.dumps(name_of_dumps(settings)), error
        else:
            dumps = store.dumps(source.name_of_dumps)
            try:
                found = source.backups(reporter)
            except PullError as error:
                failure = error
        if not found and not dumps and not failure:
            say = f"{source.name} has no backups; `{command('capture')}` takes one."
            reporter.say(say)
        _tell_rows(found, dumps, store, shell.host)
        _tell_target(settings, shell, reporter)
        if failure:
            raise failure


def _tell_rows(
    found: list[SourceBackup], dumps: list[Dump], store: DumpStore, host: str
) -> None:
    """Print a row for each backup, with its dump if stored, and for each other dump.

    On a host, each row begins with the host's name.
    """
    others = {(dump.backup, dump.taken): dump for dump in dumps}
    lines = []
    for backup in found:
        taken = backup.taken
        dump = others.pop((backup.id, taken.replace(microsecond=0)), None)
        amount = size(backup.size) if backup.size else "-"
        path = store.shown(dump.path) if dump else "-"
        lines.append(
            [backup.id, backup.database, _taken(taken), amount, backup.status, path]
        )
    lines += [
        [dump.backup, "-", _taken(dump.taken), "-", "here only", store.shown(dump.path)]
        for dump in others.values()
    ]
    column, name = (["host"], [host]) if host else ([], [])
    console.rows([*column, *HEADER], [[*name, *line] for line in lines])


def _taken(moment: datetime | None) -> str:
    """A backup's time: its age on a terminal, ISO 8601 elsewhere."""
    if console.is_drawn() or moment is None:
        return age(moment)
    return moment.isoformat()


def _tell_target(settings: Settings, shell: Shell, reporter: Reporter) -> None:
    """Tell where the target's rows came from; an unreachable target gets a note."""
    if not settings.target and (shell.host or not own_folder().exists()):
        return
    # Imported inside: imports are most of the time that `db.backups` takes.
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
