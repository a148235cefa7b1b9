"""Sees to an app where the push that works on it is killed.

Nobody can clean up after `kill -9`; so a process of its own is told what would have to
be done then, and waits. Where the pipe between them ends with something left to do, it
does that: the captured backup is put back, maintenance mode is switched off.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import dbpull
from dbpull import heroku
from dbpull.errors import PullError
from dbpull.naming import DEFAULT, NAME
from dbpull.project import PROJECT
from dbpull.push import history
from dbpull.signals import SIGNALS
from dbpull.sources.heroku_app import Source

_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_BACKUP, _MAINTENANCE = "backup", "maintenance"


@dataclass(frozen=True)
class _Stored:
    id: str
    uuid: str
    app: str


class Rescuer:
    """The process that outlives us, and what it is to do."""

    def __init__(self) -> None:
        self._process = _started()
        self._tell("folder", str(PROJECT.folder))
        self._tell("name", NAME.told)

    def must_put_back(self, found: Source, backup: heroku.Backup, wait: float) -> None:
        """If we are killed: the backup back into the app's database."""
        names = sorted(found.database.names)
        told = {
            "database": asdict(found.database) | {"names": names},
            "backup": {"id": backup.id, "uuid": backup.uuid, "app": backup.app},
            "wait": wait,
        }
        self._tell(_BACKUP, told)

    def must_end_maintenance(self, app: str) -> None:
        """If we are killed: the app out of its maintenance mode."""
        self._tell(_MAINTENANCE, app)

    def need_not_put_back(self) -> None:
        """The database is the one or the other, or was told to be neither."""
        self._tell(_BACKUP, None)

    def need_not_end_maintenance(self) -> None:
        """It is over, or was told not to be."""
        self._tell(_MAINTENANCE, None)

    def leave(self) -> None:
        """Go: what it was told and not told off it does now."""
        with SIGNALS.deferred(), suppress(OSError):
            pipe = self._process.stdin
            assert pipe  # noqa: S101 - it was asked for
            pipe.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(2.0)

    def _tell(self, what: str, content: object) -> None:
        with SIGNALS.deferred(), suppress(OSError):
            pipe = self._process.stdin
            assert pipe  # noqa: S101 - it was asked for
            pipe.write(json.dumps([what, content]) + "\n")
            pipe.flush()


@contextmanager
def standing_by() -> Iterator[Rescuer]:
    """Have one that stands by while in the context."""
    with SIGNALS.deferred():
        survivor = Rescuer()
    try:
        yield survivor
    finally:
        survivor.leave()


def _started() -> subprocess.Popen[str]:
    ours = str(Path(dbpull.__file__).parents[1])
    others = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([ours, *([others] if others else [])])
    return subprocess.Popen(
        [sys.executable, "-m", "dbpull.push.rescuer"],
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def main() -> None:
    """Listen until nobody can tell anything any more; then do what is left."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    left: dict[str, Any] = {}
    for line in sys.stdin:
        with suppress(ValueError):  # a line that was cut off
            what, content = json.loads(line)
            left[what] = content
    PROJECT.folder = Path(left.get("folder", "."))
    NAME.told = left.get("name", DEFAULT)
    try:
        if told := left.get(_BACKUP):
            _put_back(**told)
    finally:
        if app := left.get(_MAINTENANCE):
            _end_maintenance(app)


def _put_back(database: dict[str, Any], backup: dict[str, str], wait: float) -> None:
    names = frozenset(database.pop("names"))
    there = heroku.Database(**database, names=names)
    stored, app = _Stored(**backup), there.app
    killed = f"{NAME.task('push')} was killed"
    _say(f"{killed}; the database of {app} is put back from {stored.id}.")
    try:
        heroku.put_back(_api(), there, stored, wait=wait)
    except PullError as error:
        _say(f"{error.what} The database of {app} is NOT what it was. {error.remedy}")
        return
    history.forget(there.id)
    _say(f"The database of {app} is as it was: {stored.id} is back.")


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
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
