"""The flow of `db.status`: the databases, dumps and servers there are; reads only."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from dbpull import console
from dbpull.console import Reporter
from dbpull.dumps import stores
from dbpull.dumps.kept_here import kept_here
from dbpull.errors import PullError
from dbpull.flows.run import reporting
from dbpull.flows.status_facts import (
    DatabaseThere,
    DumpsStatus,
    EmbeddedStatus,
    SourceStatus,
    Status,
    TargetStatus,
)
from dbpull.naming import command, filled
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.signals import SIGNALS
from dbpull.sources import choice
from dbpull.sources.kinds import source_of
from dbpull.target import embedded_server, opened
from dbpull.target.provenance import Provenance
from dbpull.target.snapshots import snapshots

PATIENCE = 3.0
"""Seconds that the source has for its answer, from the task's begin on."""


def status(settings: Settings, shell: Shell, *, json: bool = False) -> None:
    """Tell what there is, on stdout; what can't be asked is a line, and no failure."""
    with reporting("", shell, output=console.Output(json=json)) as reporter:
        found = _look(settings, shell, reporter)
        if json:
            reporter.facts |= found.facts()
            return
        lines = list(found.lines())
        width = max(len(label) for label, _ in lines)
        for label, text in lines:
            told = filled(text, shell.command_for)
            console.finding(label, told, width, host=shell.host)


def _look(settings: Settings, shell: Shell, reporter: Reporter) -> Status:
    asked = _Asked(settings, shell.host)
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

    def __init__(self, settings: Settings, host: str) -> None:
        self._settings = settings
        self._host = host
        # Its notes, on a request that is repeated, are not worth a line.
        self._silent = Reporter(output=console.Output(quiet=True))
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
            newest = choice.latest(source, self._silent, self._host)
        except (PullError, OSError) as error:
            what = error.what if isinstance(error, PullError) else str(error)
            self._answer = SourceStatus(self._name, trouble=what)
        else:
            self._answer = SourceStatus(self._name, newest)
