"""The facts that a pull gathers before any change: the database, the backup, the dump.

A plan and a pull gather alike, by reads only, and are refused alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from dbpull import console
from dbpull.console import Output, Reporter
from dbpull.dumps import stores
from dbpull.dumps.names import Dump
from dbpull.dumps.store import DumpStore, dump_of
from dbpull.errors.target import FilledFromElsewhere
from dbpull.flows import prepare
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.sources import choice
from dbpull.sources.choice import Choice
from dbpull.sources.source import ByUrl, Source, SourceDatabase
from dbpull.target import embedded_server, guard, opened
from dbpull.target.opened import Target
from dbpull.target.provenance import Provenance
from dbpull.words import age


@dataclass(frozen=True)
class PullFlags:
    """The flags of `db.pull`."""

    backup: str | None = None
    capture: bool = False
    delete: bool = False
    in_place: bool = False
    upload: bool = False
    timings: bool = False
    blank_new: bool = False
    unmasked: str | None = None
    quiet: bool = False
    json: bool = False

    @property
    def output(self) -> Output:
        """What of the run is told."""
        return Output(self.quiet, self.json)


@dataclass(frozen=True)
class Run:
    """A run of a task: its settings and flags, its machine, its reporter."""

    settings: Settings
    shell: Shell
    asked: PullFlags
    reporter: Reporter

    @cached_property
    def store(self) -> DumpStore:
        """The store of dumps."""
        return stores.store_for(self.settings, self.shell, upload=self.asked.upload)

    def take(self) -> Target:
        """The target, which is to be filled; an embedded server is started."""
        in_place = self.asked.in_place
        return opened.take_to_fill(
            self.settings, self.shell, self.reporter, in_place=in_place
        )

    def look(self) -> Target | None:
        """The target for a plan; None where its embedded server does not run."""
        target = opened.named(self.settings, self.shell)
        if target.embedded and not embedded_server.runs():
            guard.refuse_foreign(target.connection, self.settings.allowed_hosts)
            return None
        return self.take()


@dataclass(frozen=True)
class Gathered:
    """The database, its backup and the dump from which a pull replaces the target."""

    database: SourceDatabase
    choice: Choice
    dump: Dump | None
    """The backup's dump, stored or not; None where a backup is to be captured."""

    @property
    def by_url(self) -> bool:
        """Whether the dump has a URL, so that a host can fetch it."""
        backup = self.choice.backup
        if backup is None:
            return self.database.keeps_backups
        return isinstance(backup.way, ByUrl)

    @property
    def comes(self) -> str:
        """The backup in words: `myapp-eu (staging) b101, 3 hours old`."""
        backup = self.choice.backup
        if not backup:
            what = "backup" if self.database.keeps_backups else "dump"
            return f"{self.database.label}, a new {what}"
        return f"{self.database.label} {backup.id}, {age(backup.taken)}"


def gather(run: Run, source: Source, target: Target | None) -> Gathered:
    """Ask the source, and choose the backup.

    Raises TargetIsSource, FilledFromElsewhere, RestoreError, and as `choose` does.
    """
    settings, asked, reporter = run.settings, run.asked, run.reporter
    database = choice.database_of(source, reporter)
    if target:
        refuse_mistaken(run, target, database)
        prepare.refuse_full_disk(target, database.size)
    chosen = choice.choose(
        database,
        backup=asked.backup,
        capture=asked.capture,
        max_age=settings.max_age,
        host=reporter.host,
    )
    backup = chosen.backup
    if target and backup:
        guard.refuse_source(target.connection, backup.server, database.label)
    return Gathered(database, chosen, dump_of(backup, settings) if backup else None)


def refuse_mistaken(run: Run, target: Target, database: SourceDatabase) -> None:
    """Raise TargetIsSource, and FilledFromElsewhere as `refuse_other_source` does."""
    guard.refuse_source(target.connection, database.server, database.label)
    guard.refuse_identical(target.psql, database.identity, database.label)
    refuse_other_source(run, target, database.name_of_dumps, database.label)


def refuse_other_source(run: Run, target: Target, name: str, label: str) -> None:
    """Raise FilledFromElsewhere where the target holds another source's rows.

    `name` is the new source's in the names of dumps, `label` its name in messages.
    On a terminal the first line tells what is replaced; a target that a flag or the
    source's own settings name is meant.
    """
    holds = Provenance.from_comment(target.state.comment)
    settings = run.settings
    told = console.is_watched() and not run.asked.quiet
    if not holds or holds.app in {"", name} or told:
        return
    if not (settings.target_by_flag or settings.target_of_source):
        raise FilledFromElsewhere(target.connection.label, holds.label, label)
