"""The flow of `db.push`: plan, confirm, dump, capture, restore; and its `--undo`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dbpull import heroku
from dbpull.console import HOSTS_DISPLAY, Reporter
from dbpull.dumps import stores
from dbpull.dumps.names import Dump
from dbpull.errors import PullError
from dbpull.errors.push import PushError, PushFailed
from dbpull.flows.prepare import prepare
from dbpull.flows.run import reporting
from dbpull.naming import NAME, command
from dbpull.push import app_database, history
from dbpull.push.app_restore import AppRestore, way_back
from dbpull.push.confirm import confirm
from dbpull.push.pg_dump import dump_database
from dbpull.push.plan import tell_commands, tell_plan
from dbpull.push.rescuer import Rescuer, standing_by
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.signals import SIGNALS
from dbpull.sources import choice
from dbpull.sources.heroku_app import HerokuApp, HerokuDatabase
from dbpull.sources.kinds import app_of
from dbpull.sources.source import SourceBackup
from dbpull.target import lock, opened
from dbpull.words import age

UNSENT = "The app's database is as it was."


@dataclass(frozen=True)
class PushFlags:
    """The flags of `db.push`."""

    confirm: str | None = None
    maintenance: bool = False
    undo: bool = False
    masked: bool = False
    """Whether a masked database may be pushed."""
    backup: str | None = None
    """The backup to put back; None for the backup captured before the last push."""


def push(
    settings: Settings, shell: Shell, asked: PushFlags, *, dry_run: bool = False
) -> None:
    """Replace the app's database by the target, or put its backup back."""
    with reporting(UNSENT, shell) as reporter:
        if HOSTS_DISPLAY.tells_the_end:
            raise PushError(
                f"{NAME.task('push')} from several hosts would have them overwrite each"
                " other.",
                "Name one host with -H.",
            )
        source = app_of(settings)
        app_database.refuse_protected(source.name, settings, source.app.alias)
        if asked.undo or asked.backup is not None:
            _undo(source, settings, asked, reporter, dry_run=dry_run)
        else:
            _push(source, settings, shell, asked, reporter, dry_run=dry_run)


def _push(
    source: HerokuApp,
    settings: Settings,
    shell: Shell,
    asked: PushFlags,
    reporter: Reporter,
    *,
    dry_run: bool,
) -> None:
    local = opened.take(settings, shell, reporter)
    ours = app_database.refuse_empty(local)
    app_database.refuse_masked(local, allowed=asked.masked)
    found = source.open(reporter)
    app_database.refuse_older(found, local)
    connection = app_database.locate(found, local)
    programs = app_database.choose_programs(shell, local.state.major, connection)
    remote = app_database.take(found, local, connection, programs)
    tell_plan(found, local, ours, remote, settings, reporter)
    app_database.refuse(found, local, ours, remote, settings)
    if dry_run:
        tell_commands(found, local, remote, programs, settings, reporter)
        return
    confirm(found.database.app, asked.confirm)
    with _dumped(settings, shell, local, programs, found, reporter) as dump:
        stream = stores.store_for(settings, shell).open(dump, reporter)
        prepared = prepare(remote.target, stream.contents, settings)
        with (
            standing_by() as rescuer,
            _maintained(found, rescuer, reporter, wanted=asked.maintenance),
        ):
            backup = _captured(found, settings, reporter)
            restore = AppRestore(found, remote, backup, settings, reporter, rescuer)
            restore.run(stream, prepared)
    reporter.tell_slow()
    reporter.say(f"{found.database.app} is now {local.connection.label}.", "bold")
    undo = way_back(found, settings)
    reporter.say(f"`{undo}` puts {backup.id} back, what it was before.")


def _captured(
    found: HerokuDatabase, settings: Settings, reporter: Reporter
) -> SourceBackup:
    try:
        return choice.captured(found, settings.wait, reporter)
    except PullError as error:
        raise PushFailed(error.what, error.remedy, code=error.code) from error


def _undo(
    source: HerokuApp,
    settings: Settings,
    asked: PushFlags,
    reporter: Reporter,
    *,
    dry_run: bool,
) -> None:
    found = source.open(reporter)
    app = found.database.app
    for sharing_app in sorted(app_database.sharing(found)):
        app_database.refuse_protected(sharing_app, settings)
    name = asked.backup or history.captured_before(found.database.id)
    if name is None:
        raise PushError(
            f"No push to {app} is known here.",
            "Name the backup that is to be put back: --backup=b101;"
            f" `{command('backups')}` lists them.",
        )
    backup = choice.awaited(found, found.named(name), settings.wait, reporter)
    choice.note_another_server(found, backup, reporter)
    taken = f"{backup.id}, {age(backup.taken)}"
    reporter.say(
        f"All that the database of {app} holds is replaced by {taken}.", "bold"
    )
    if dry_run:
        reporter.say("Nothing was changed.")
        return
    confirm(app, asked.confirm)
    reporter.on_failure(f"Heroku may still be putting {backup.id} back.")
    with reporter.step("undo", f"Putting {backup.id} of {app} back") as step:
        wait = settings.wait
        heroku.put_back(found.api, found.database, backup.id, backup.uuid, wait=wait)
        step.sentence = f"The database of {app} is {backup.id} again"
    history.forget(found.database.id)


@contextmanager
def _dumped(
    settings: Settings,
    shell: Shell,
    local: opened.Target,
    programs: app_database.PushPrograms,
    found: HerokuDatabase,
    reporter: Reporter,
) -> Iterator[Dump]:
    """A dump of the local database, removed on leaving, even after an error."""
    store = stores.store_for(settings, shell)
    dump = store.private(f"push-{found.database.app}-{os.getpid()}.dump")
    try:
        with lock.held(local.psql):  # no pull may swap the database now
            dump_database(local, programs.pg_dump, dump, reporter)
        yield dump
    finally:
        with SIGNALS.deferred():
            store.remove(dump)


@contextmanager
def _maintained(
    found: HerokuDatabase, rescuer: Rescuer, reporter: Reporter, *, wanted: bool
) -> Iterator[None]:
    """Put the app in maintenance mode; end it on leaving, even after an error."""
    app = found.database.app
    if not wanted or heroku.in_maintenance(found.api, app):
        yield
        return
    rescuer.must_end_maintenance(app)
    try:
        with SIGNALS.deferred():
            heroku.set_maintenance(found.api, app, on=True)
            reporter.say(f"{app} is in maintenance mode.")
        yield
    finally:
        with SIGNALS.deferred():
            _end_maintenance(found, reporter)
            rescuer.need_not_end_maintenance()


def _end_maintenance(found: HerokuDatabase, reporter: Reporter) -> None:
    app = found.database.app
    try:
        heroku.set_maintenance(found.api, app, on=False)
    except PullError as error:
        reporter.note(
            f"{error.what} {app} is still in maintenance mode: `heroku"
            f" maintenance:off --app={app}` ends it."
        )
    else:
        reporter.say(f"{app} is out of maintenance mode.")
