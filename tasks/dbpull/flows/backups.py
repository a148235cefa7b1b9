"""The flow of `db.backups`: the backups, the dumps, the target's provenance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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
from dbpull.words import age, ago, listed, size, source_label

if TYPE_CHECKING:
    from dbpull.target.opened import Target

HEADER = ("backup", "database", "age", "database size", "status", "local file")
PLAIN_HEADER = ("backup", "database", "taken", "bytes", "status", "local file")
"""The columns for scripts."""


@dataclass(frozen=True)
class BackupRow:
    """A backup at the source, a dump here, or both."""

    id: str
    database: str | None
    taken: datetime | None
    database_bytes: int | None
    status: str
    path: str | None
    """The dump's path, if the backup has one here."""

    def cells(self) -> list[str]:
        """Text for each column: for people on a terminal, else for scripts."""
        if console.is_drawn():
            taken = age(self.taken)
            amount = size(self.database_bytes) if self.database_bytes else "-"
        else:
            taken = self.taken.isoformat() if self.taken else "-"
            amount = str(self.database_bytes or "-")
        cells = [self.id, self.database, taken, amount, self.status, self.path]
        return [cell or "-" for cell in cells]


def tell(
    settings: Settings, shell: Shell, *, quiet: bool = False, json: bool = False
) -> None:
    """List the backups and dumps on stdout, the target's rows on stderr.

    Where no source is named, or the source can't be asked, the dumps are listed before
    the error is raised.
    """
    with reporting("", shell, output=console.Output(quiet, json)) as reporter:
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
        _tell_rows(list(_rows(found, dumps, store)), reporter)
        _tell_target(settings, shell, reporter)
        if failure:
            raise failure


def _rows(
    found: list[SourceBackup], dumps: list[Dump], store: DumpStore
) -> Iterator[BackupRow]:
    """A row for each backup, with its dump if stored, and for each other dump."""
    others = {(dump.backup, dump.taken): dump for dump in dumps}
    for backup in found:
        dump = others.pop((backup.id, backup.taken.replace(microsecond=0)), None)
        path = store.shown(dump.path) if dump else None
        yield BackupRow(
            backup.id,
            backup.database,
            backup.taken,
            backup.size,
            backup.status,
            path,
        )
    for dump in others.values():
        path = store.shown(dump.path)
        yield BackupRow(dump.backup, None, dump.taken, None, "here only", path)


def _tell_rows(rows: list[BackupRow], reporter: Reporter) -> None:
    """Print the rows under their header; on a host, each begins with its name."""
    if reporter.output.json:
        reporter.facts["backups"] = rows
    elif rows:
        header = HEADER if console.is_drawn() else PLAIN_HEADER
        column, name = (["host"], [reporter.host]) if reporter.host else ([], [])
        console.rows([*column, *header], [[*name, *row.cells()] for row in rows])


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
    reporter.facts |= {"target": target.connection.label, "holds": holds(known)}
    if not known:
        reporter.say(f"{target.connection.label} was not filled by dbpull.")
        return
    skipped = f", without the rows of {listed(known.skipped)}" if known.skipped else ""
    absent = f", without {listed(known.absent)}" if known.absent else ""
    reporter.say(
        f"{target.connection.label} holds {known.label}, {age(known.taken)}"
        f"{skipped}{absent}; pulled {ago(known.pulled)}."
    )


def holds(rows: Provenance | None) -> dict[str, object] | None:
    """The rows' provenance for the document; None where dbpull did not pull them."""
    if rows is None:
        return None
    return {
        "source": source_label(rows.app),
        "id": rows.backup,
        "taken": rows.taken,
        "pulled": rows.pulled,
        "skipped_rows": rows.skipped,
        "missing": rows.absent,
        "masked": rows.masked is not None,
    }
