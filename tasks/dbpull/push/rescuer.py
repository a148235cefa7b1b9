"""The rescuer of a push: a process that repairs the app if the push is killed.

No process can clean up after its own `kill -9`. So the push starts a rescuer and
registers tasks over a pipe: put the captured backup back, end maintenance mode. When
the pipe ends, the rescuer runs the tasks that are still registered.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dbpull import heroku
from dbpull.errors import PullError
from dbpull.naming import DEFAULT, NAME, filled
from dbpull.project import PROJECT
from dbpull.push import history
from dbpull.signals import SIGNALS
from dbpull.sources.heroku_app import HerokuDatabase
from dbpull.sources.source import SourceBackup
from dbpull.standby import Standby, lines

_BACKUP, _MAINTENANCE = "backup", "maintenance"


class Rescuer(Standby):
    """The push's end of the pipe to its rescuer: registers and withdraws tasks."""

    def __init__(self) -> None:
        super().__init__("dbpull.push.rescuer")
        self._register("folder", str(PROJECT.folder))
        self._register("name", NAME.collection)

    def must_put_back(
        self, found: HerokuDatabase, backup: SourceBackup, wait: float
    ) -> None:
        """Register the task of putting the backup back into the app's database."""
        names = sorted(found.database.names)
        task = {
            "database": asdict(found.database) | {"names": names},
            "backup": backup.id,
            "uuid": backup.uuid,
            "wait": wait,
        }
        self._register(_BACKUP, task)

    def must_end_maintenance(self, app: str) -> None:
        """Register the task of ending the app's maintenance mode."""
        self._register(_MAINTENANCE, app)

    def need_not_put_back(self) -> None:
        """Withdraw the task: push or backup is in place, or the failure is told."""
        self._register(_BACKUP, None)

    def need_not_end_maintenance(self) -> None:
        """Withdraw the task: the mode has ended, or the failure is told."""
        self._register(_MAINTENANCE, None)

    def _register(self, key: str, content: object) -> None:
        self.tell(json.dumps([key, content]))


@contextmanager
def standing_by() -> Iterator[Rescuer]:
    """Have a rescuer stand by while in the context."""
    with SIGNALS.deferred():
        rescuer = Rescuer()
    try:
        yield rescuer
    finally:
        rescuer.leave(2.0)


def main() -> None:
    """Read tasks until the pipe ends; then run the tasks still registered."""
    registered: dict[str, Any] = {}
    for line in lines():
        with suppress(ValueError):  # a line that was cut off
            key, content = json.loads(line)
            registered[key] = content
    PROJECT.folder = Path(registered.get("folder", "."))
    NAME.collection = registered.get("name", DEFAULT)
    try:
        if task := registered.get(_BACKUP):
            _put_back(**task)
    finally:
        if app := registered.get(_MAINTENANCE):
            _end_maintenance(app)


def _put_back(database: dict[str, Any], backup: str, uuid: str, wait: float) -> None:
    names = frozenset(database.pop("names"))
    target = heroku.Database(**database, names=names)
    app = target.app
    killed = f"{NAME.task('push')} was killed"
    _say(f"{killed}; the database of {app} is put back from {backup}.")
    try:
        heroku.put_back(_api(), target, backup, uuid, wait=wait)
    except PullError as error:
        _say(f"{error.what} The database of {app} is NOT what it was. {error.remedy}")
        return
    history.forget(target.id)
    _say(f"The database of {app} is as it was: {backup} is back.")


def _end_maintenance(app: str) -> None:
    try:
        heroku.set_maintenance(_api(), app, on=False)
    except PullError as error:
        _say(f"{error.what} {app} is still in maintenance mode.")
    else:
        _say(f"{app} is out of maintenance mode.")


def _api() -> heroku.Api:
    return heroku.Api.from_environment(os.environ, notice=_say)


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        sys.stderr.write(filled(text, NAME.invoke) + "\n")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
