"""The replacement of an app's database: reset, restore, put back after a failure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dbpull import heroku
from dbpull.console import Reporter
from dbpull.dumps.stream import DumpStream
from dbpull.errors import PullError
from dbpull.errors.postgres import CannotConnect, SqlFailed
from dbpull.errors.push import PushFailed
from dbpull.errors.restore import RestoreFailed
from dbpull.flows.prepare import Prepared
from dbpull.naming import command
from dbpull.push import history
from dbpull.push.app_database import RemoteDatabase
from dbpull.push.rescuer import Rescuer
from dbpull.restore import check
from dbpull.restore.schemas import create_missing
from dbpull.restore.sections import Restore
from dbpull.restore.selection import Selection
from dbpull.restore.statistics import analyze
from dbpull.settings import Settings
from dbpull.signals import SIGNALS
from dbpull.sources.heroku_app import HerokuDatabase
from dbpull.sources.kinds import PLATFORM
from dbpull.sources.source import SourceBackup
from dbpull.target.contents import Contents, contents
from dbpull.words import counted

_LOOKS, _PAUSE = 60, 2.0
"""The most checks whether the database is empty, and the seconds between two."""


@dataclass
class AppRestore:
    """One push into an app's database, whose backup has been captured."""

    found: HerokuDatabase
    remote: RemoteDatabase
    backup: SourceBackup
    """The backup to put the database back from."""
    settings: Settings
    reporter: Reporter
    rescuer: Rescuer

    def run(self, stream: DumpStream, prepared: Prepared) -> None:
        """Reset and restore a dump, or put the backup back. Raises PushFailed."""
        history.remember(self._app, self.found.database.id, self.backup.id)
        self.rescuer.must_put_back(self.found, self.backup, self.settings.wait)
        try:
            self._reset()
            self._restore(stream, prepared)
        except BaseException as error:
            with SIGNALS.deferred():
                self._put_back(error)
            raise
        self.rescuer.need_not_put_back()
        self.reporter.on_failure(f"The database of {self._app} is the pushed one.")

    @property
    def _app(self) -> str:
        return self.found.database.app

    def _reset(self) -> None:
        with self.reporter.step("reset", f"Resetting {self._app}") as step:
            heroku.reset(self.found.api, self.found.database)
            self._await_empty()
            step.sentence = f"Reset the database of {self._app}"

    def _await_empty(self) -> Contents:
        why = ""
        for _ in range(_LOOKS):
            try:
                held = contents(self.remote.target.psql, PLATFORM.schema)
                if not held.tables:
                    return held
                why = f"it still has {counted(held.tables, 'table')}"
            except (CannotConnect, SqlFailed) as error:
                why = error.what.rstrip(".")
            SIGNALS.pause(_PAUSE)
        raise PushFailed(
            f"The database of {self._app} was reset, but {why}.",
            "Look at https://status.heroku.com, then run it again.",
        )

    def _restore(self, stream: DumpStream, prepared: Prepared) -> None:
        target = self.remote.target
        existing = contents(target.psql, PLATFORM.schema).schemas
        selection = _without_schemas(prepared.selection, existing)
        dbname, missing = target.connection.dbname, prepared.schemas - existing
        create_missing(target.psql, dbname, missing, prepared.extensions)
        restore = Restore(
            target.shell,
            prepared.program.path,
            target.connection,
            stream.dump.path,
            selection,
            self.settings.jobs,
            f"into {self._app}",
        )
        stream.restore(restore, self.reporter)
        with self.reporter.step("check", "Checking and analyzing") as step:
            restored = check.look(target.psql, dbname)
            restored.refuse_incomplete(selection)
            analyze(target.psql, dbname, restored.statements(), self.settings.jobs)
            step.sentence = "Checked and analyzed"

    def _put_back(self, cause: BaseException) -> None:
        """Have Heroku restore the captured backup; raise an error with the outcome."""
        reporter, backup, app = self.reporter, self.backup, self._app
        why = f"{cause.what} " if isinstance(cause, PullError) else ""
        reporter.on_failure(
            f"The database of {app} is NOT what it was: {backup.id} is not back yet."
            f" `{way_back(self.found, self.settings)}` puts it back."
        )
        reporter.note(f"{why}The database of {app} is being put back from {backup.id}.")
        try:
            self._restored_by_heroku()
        except PullError as error:
            self.rescuer.need_not_put_back()  # the rescuer would fail likewise
            what = why or "The push was stopped. "
            raise PushFailed(f"{what}{error.what}", error.remedy) from cause
        if isinstance(cause, RestoreFailed):
            cause = cause.before_the_end()  # the dump is removed
        if isinstance(cause, PullError):
            raise PushFailed(f"The push failed: {cause.what}", cause.remedy) from cause

    def _restored_by_heroku(self) -> None:
        found, backup, wait = self.found, self.backup, self.settings.wait
        back = f"{backup.id} of {self._app}"
        with self.reporter.step("undo", f"Putting {back} back") as step:
            heroku.put_back(
                found.api, found.database, backup.id, backup.uuid, wait=wait
            )
            step.sentence = f"Put {back} back"
            history.forget(found.database.id)
            self.rescuer.need_not_put_back()
            self.reporter.on_failure(
                f"The database of {self._app} is as it was: {backup.id} is back."
            )


def way_back(found: HerokuDatabase, settings: Settings) -> str:
    """The command that puts the backup back after a push."""
    line = f"{command('push')} --undo --app={found.app.name}"
    if settings.origins["database"] == "--database":
        line += f" --database={settings.database}"
    return f"{line} --confirm={found.database.app}"


def _without_schemas(selection: Selection, existing: frozenset[str]) -> Selection:
    """The selection without the schemas that exist after a reset (heroku_ext)."""
    entries = tuple(
        entry
        for entry in selection.entries
        if entry.desc != "SCHEMA" or entry.tag not in existing
    )
    return replace(selection, entries=entries)
