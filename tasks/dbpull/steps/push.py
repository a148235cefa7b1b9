"""The way back: the local database replaces an app's, which is captured before."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dbpull import heroku
from dbpull.console import BOARD, Teller
from dbpull.dumps import Dump
from dbpull.errors import PullError
from dbpull.errors.push import NothingPushed, OneHostOnly
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.signals import SIGNALS
from dbpull.steps import aim, pushed, remote_database, source, stocks
from dbpull.steps.confirm import confirm
from dbpull.steps.outgoing import dump_database
from dbpull.steps.prepare import Gate
from dbpull.steps.push_plan import tell_commands, tell_plan
from dbpull.steps.replace import Replacement, way_back
from dbpull.steps.run import told
from dbpull.steps.source import Source
from dbpull.steps.survivor import Survivor, surviving
from dbpull.target import lock
from dbpull.words import age

UNSENT = "The app's database is as it was."


@dataclass(frozen=True)
class Asked:
    """What the command line asks of a push."""

    confirm: str | None = None
    maintenance: bool = False
    undo: bool = False
    backup: str | None = None
    """What is put back; else what was captured before the last push."""


def push(
    settings: Settings, shell: Shell, asked: Asked, *, dry_run: bool = False
) -> None:
    """Replace the app's database by the target, or put back what that has replaced."""
    with told(UNSENT, shell) as teller:
        if BOARD.tells_the_end:
            raise OneHostOnly
        app = source.app(settings)
        remote_database.refuse_protected(app.name, settings, app.alias)
        if asked.undo or asked.backup is not None:
            _undo(settings, asked, teller, dry_run=dry_run)
        else:
            _push(settings, shell, asked, teller, dry_run=dry_run)


def _push(
    settings: Settings, shell: Shell, asked: Asked, teller: Teller, *, dry_run: bool
) -> None:
    local = aim.take(settings, shell, teller)
    ours = remote_database.refuse_empty(local)
    found = source.find(settings, teller)
    remote_database.refuse_older(found, local)
    there = remote_database.locate(found, local)
    programs = remote_database.choose_programs(shell, local.state.major, there)
    remote = remote_database.take(found, local, there, programs)
    tell_plan(found, local, ours, remote, settings, teller)
    remote_database.refuse(found, local, ours, remote, settings)
    if dry_run:
        tell_commands(found, local, remote, programs, settings, teller)
        return
    confirm(found.database.app, asked.confirm)
    with _dumped(settings, shell, local, programs, found, teller) as dump:
        gate = Gate(remote.aim, settings)
        fetched = stocks.of(settings, shell).open(dump, teller, gate)
        with (
            surviving() as survivor,
            _maintained(found, survivor, teller, wanted=asked.maintenance),
        ):
            backup = _captured(found, settings, teller)
            act = Replacement(found, remote, backup, settings, teller, survivor)
            act.run(fetched, gate.prepared)
    teller.closing_table([])
    teller.say(f"{found.database.app} is now {local.connection.label}.", "bold")
    typed = shell.command_for("db.push")
    again = way_back(found, settings).replace("invoke db.push", typed)
    teller.say(f"`{again}` puts {backup.id} back, what it was before.")


def _captured(found: Source, settings: Settings, teller: Teller) -> heroku.Backup:
    try:
        return source.capture(found, settings.wait, teller)
    except PullError as error:
        if not error.midway:
            error.add(UNSENT)
        raise


def _undo(settings: Settings, asked: Asked, teller: Teller, *, dry_run: bool) -> None:
    found = source.find(settings, teller)
    app = found.database.app
    for one in sorted(remote_database.sharing(found)):
        remote_database.refuse_protected(one, settings)
    name = asked.backup or pushed.captured_before(found.database.id)
    if name is None:
        raise NothingPushed(app)
    backup = source.existing(found, name, settings.wait, teller)
    taken = f"{backup.id}, {age(backup.created_at)}"
    teller.say(f"All that the database of {app} holds is replaced by {taken}.", "bold")
    if dry_run:
        teller.say("Nothing of it was done.")
        return
    confirm(app, asked.confirm)
    teller.standing = f"Heroku may still be putting {backup.id} back."
    with teller.step("undo", f"Putting {backup.id} of {app} back") as step:
        heroku.put_back(found.api, found.database, backup, wait=settings.wait)
        step.sentence = f"The database of {app} is {backup.id} again"
    pushed.forget(found.database.id)


@contextmanager
def _dumped(
    settings: Settings,
    shell: Shell,
    local: aim.Aim,
    programs: remote_database.Programs,
    found: Source,
    teller: Teller,
) -> Iterator[Dump]:
    """The local database as a dump that goes when it has served, whatever happens."""
    stock = stocks.of(settings, shell)
    dump = stock.private(f"push-{found.database.app}-{os.getpid()}.dump")
    try:
        with lock.held(local.psql, local.state):  # no pull swaps it meanwhile
            dump_database(local, programs.pg_dump, dump, teller)
        yield dump
    finally:
        with SIGNALS.deferred():
            stock.remove(dump)


@contextmanager
def _maintained(
    found: Source, survivor: Survivor, teller: Teller, *, wanted: bool
) -> Iterator[None]:
    """The app in maintenance mode, and out of it again whatever happens."""
    app = found.database.app
    if not wanted or heroku.in_maintenance(found.api, app):
        yield
        return
    survivor.must_end_maintenance(app)
    try:
        with SIGNALS.deferred():
            heroku.set_maintenance(found.api, app, on=True)
            teller.say(f"{app} is in maintenance mode.")
        yield
    finally:
        with SIGNALS.deferred():
            _end_maintenance(found, teller)
            survivor.need_not_end_maintenance()


def _end_maintenance(found: Source, teller: Teller) -> None:
    app = found.database.app
    try:
        heroku.set_maintenance(found.api, app, on=False)
    except PullError as error:
        teller.note(
            f"{error.what} {app} is still in maintenance mode: `heroku"
            f" maintenance:off --app={app}` ends it."
        )
    else:
        teller.say(f"{app} is out of maintenance mode.")
