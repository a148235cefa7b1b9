"""The flow of `db.status`: the databases, dumps and servers there are; reads only."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from dbpull import console
from dbpull.console import Reporter
from dbpull.dumps import stores
from dbpull.dumps.kept_here import kept_here
from dbpull.errors import PullError
from dbpull.flows import kept
from dbpull.flows.run import reporting
from dbpull.naming import command, filled
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.signals import SIGNALS
from dbpull.sources import choice
from dbpull.sources.kinds import source_of
from dbpull.sources.source import SourceBackup
from dbpull.target import embedded_server, opened
from dbpull.target.provenance import Provenance
from dbpull.target.snapshots import snapshots
from dbpull.words import age, ago, counted, size

PATIENCE = 3.0
"""Seconds that the source has for its answer, from the task's begin on."""


@dataclass(frozen=True)
class DatabaseThere:
    """The target, or a database kept beside it."""

    role: str
    """`target`, `previous`, `snapshot`, `original`."""
    name: str
    """The database's name; of a snapshot, the name that its user gave."""
    size: int | None
    """Bytes; None where this role may not know."""
    rows: Provenance | None
    """Where the rows came from; None where dbpull did not pull them."""
    since: datetime | None = None
    """When it was replaced; when a snapshot was copied."""

    def told(self) -> str:
        """The database in words."""
        how = "copied" if self.role == "snapshot" else "replaced"
        since = f", {how} {ago(self.since)}" if self.since else ""
        return f"{kept.rows_of(self.rows)}, {size(self.size)}{since}"


@dataclass(frozen=True)
class TargetStatus:
    """The target's server, as far as it may be asked without being started."""

    label: str = ""
    origin: str = ""
    databases: tuple[DatabaseThere, ...] = ()
    trouble: str = ""
    """Why nothing is known about the databases."""

    def lines(self) -> Iterator[tuple[str, str]]:
        """Lines with their labels."""
        place = f"{self.label} ({self.origin})" if self.label else ""
        if self.trouble:
            yield "target", f"{place}: {self.trouble}" if place else self.trouble
        elif not self.databases or self.databases[0].role != "target":
            yield "target", f"{place} does not exist yet"
        for each in self.databases:
            name = place if each.role == "target" else each.name
            yield each.role, f"{name}: {each.told()}"


@dataclass(frozen=True)
class DumpsStatus:
    """The folder of dumps."""

    folder: str
    count: int
    size: int
    """Bytes of all dumps, and of the parts of unfinished downloads."""
    newest: str = ""
    taken: datetime | None = None

    def told(self) -> str:
        """The folder in words."""
        found = f"{counted(self.count, 'dump')} in {self.folder}, {size(self.size)}"
        return f"{found}; {self.newest} is {age(self.taken)}" if self.newest else found


@dataclass(frozen=True)
class SourceStatus:
    """The source, and the newest finished backup that it lists."""

    name: str
    newest: SourceBackup | None = field(default=None, repr=False)
    trouble: str = ""
    """Why the source tells nothing."""

    def told(self) -> str:
        """The source in words."""
        name = f"{self.name}: " if self.name else ""
        if self.trouble:
            return f"{name}{self.trouble}"
        if not self.newest:
            return f"{name}no finished backup; `{command('pull')}` takes one"
        return f"{name}{self.newest.id} is the newest, {age(self.newest.taken)}"


@dataclass(frozen=True)
class EmbeddedStatus:
    """The embedded server of this project."""

    running: bool
    size: int
    """Bytes of its data."""

    def told(self) -> str:
        """The server in words."""
        does = "runs" if self.running else "does not run"
        told = f"the embedded PostgreSQL {does}, {size(self.size)}"
        return told if self.running else f"{told}; `{command('start')}` starts it"


@dataclass(frozen=True)
class Status:
    """All that is known."""

    target: TargetStatus
    dumps: DumpsStatus
    source: SourceStatus
    embedded: EmbeddedStatus | None
    """None where there is none."""

    def lines(self) -> Iterator[tuple[str, str]]:
        """Lines with their labels."""
        yield from self.target.lines()
        yield "dumps", self.dumps.told()
        yield "source", self.source.told()
        if self.embedded:
            yield "server", self.embedded.told()


def status(settings: Settings, shell: Shell) -> None:
    """Tell what there is, on stdout; what can't be asked is a line, and no failure."""
    with reporting("", shell) as reporter:
        lines = list(_look(settings, shell, reporter).lines())
        width = max(len(label) for label, _ in lines)
        for label, text in lines:
            told = filled(text, shell.command_for)
            console.finding(label, told, width, host=shell.host)


def _look(settings: Settings, shell: Shell, reporter: Reporter) -> Status:
    asked = _Asked(settings, reporter)
    asked.start()
    target = _target(settings, shell, reporter)
    dumps = _dumps(settings, shell)
    return Status(target, dumps, asked.answer(), _embedded(shell))


def _target(settings: Settings, shell: Shell, reporter: Reporter) -> TargetStatus:
    try:
        named = opened.named(settings, shell)
    except PullError as error:
        return TargetStatus(trouble=error.what)
    label, origin = named.connection.label, named.origin
    if named.embedded and not embedded_server.runs():
        trouble = f"its server does not run; `{command('start')}` starts it"
        return TargetStatus(label, origin, trouble=trouble)
    try:
        target = opened.take(settings, shell, reporter)
    except PullError as error:
        return TargetStatus(label, origin, trouble=error.what)
    return TargetStatus(label, origin, tuple(_databases(target)))


def _databases(target: opened.Target) -> Iterator[DatabaseThere]:
    """The target, if it exists, and the databases kept beside it."""
    state, family = target.state, target.state.family
    if state.exists:
        rows = Provenance.from_comment(state.comment)
        yield DatabaseThere("target", family.names.target, state.size, rows)
    if member := family.previous:
        since = member.kept.replaced if member.kept else None
        rows = member.provenance
        yield DatabaseThere("previous", member.dbname, member.size, rows, since)
    for each in snapshots(family):
        role, name = "snapshot", each.name
        if each.original:
            role, name = "original", each.member.dbname
        rows = each.member.provenance
        yield DatabaseThere(role, name, each.member.size, rows, each.taken)


def _dumps(settings: Settings, shell: Shell) -> DumpsStatus:
    store = stores.store_for(settings, shell)
    found, folder = store.dumps(), store.shown(settings.path)
    if not found:
        return DumpsStatus(folder, 0, store.used())
    newest = max(found, key=lambda dump: str(dump.taken))
    return DumpsStatus(folder, len(found), store.used(), newest.label, newest.taken)


def _embedded(shell: Shell) -> EmbeddedStatus | None:
    if shell.host or not embedded_server.is_set_up():
        return None
    return EmbeddedStatus(embedded_server.runs(), embedded_server.used())


class _Asked:
    """The question to the source, asked in a thread while the rest is looked at."""

    def __init__(self, settings: Settings, reporter: Reporter) -> None:
        self._settings = settings
        self._reporter = reporter
        self._deadline = time.monotonic() + PATIENCE
        self._name = ""
        self._answer: SourceStatus | None = None
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def answer(self) -> SourceStatus:
        """The answer, or that there was none in time; the thread then ends with us."""
        while self._thread.is_alive() and time.monotonic() < self._deadline:
            SIGNALS.check()
            self._thread.join(0.02)
        trouble = f"no answer within {PATIENCE:.0f} s"
        return self._answer or SourceStatus(self._name, trouble=trouble)

    def _ask(self) -> None:
        try:
            source = source_of(self._settings, kept_here(self._settings))
            self._name = source.name
            newest = choice.latest(source, self._reporter)
        except (PullError, OSError) as error:
            what = error.what if isinstance(error, PullError) else str(error)
            self._answer = SourceStatus(self._name, trouble=what)
        else:
            self._answer = SourceStatus(self._name, newest)
