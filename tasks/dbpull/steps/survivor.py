"""Puts an app's database back where the push that works on it is killed.

Nobody can clean up after `kill -9`; so a process of its own waits, from before the
reset on, for the push to say that it has come to an end. Where the pipe between them
ends without that word, it has the captured backup put back.
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
from dbpull.project import PROJECT
from dbpull.signals import SIGNALS
from dbpull.steps import pushed
from dbpull.steps.source import Source

_OVER = "over"
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class _Stored:
    id: str
    uuid: str
    app: str


@contextmanager
def surviving(found: Source, backup: heroku.Backup, wait: float) -> Iterator[None]:
    """Have the backup put back if we are killed while in the context."""
    database = asdict(found.database)
    told = {
        "folder": str(PROJECT.folder),
        "database": database | {"names": sorted(found.database.names)},
        "backup": {"id": backup.id, "uuid": backup.uuid, "app": backup.app},
        "wait": wait,
    }
    with SIGNALS.deferred():
        process = _started()
        assert process.stdin  # noqa: S101 - it was asked for
        process.stdin.write(json.dumps(told) + "\n")
        process.stdin.flush()
    try:
        yield
    finally:
        with SIGNALS.deferred(), suppress(BrokenPipeError):
            process.communicate(_OVER + "\n")


def _started() -> subprocess.Popen[str]:
    ours = str(Path(dbpull.__file__).parents[1])
    others = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([ours, *([others] if others else [])])
    return subprocess.Popen(
        [sys.executable, "-m", "dbpull.steps.survivor"],
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def main() -> None:
    """Wait for the end of the push; see to the app's database if it never said so."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    told = sys.stdin.readline()
    if not told or sys.stdin.readline().strip() == _OVER:
        return
    _put_back(json.loads(told))


def _put_back(told: dict[str, Any]) -> None:
    PROJECT.folder = Path(told["folder"])
    names = frozenset(told["database"].pop("names"))
    database = heroku.Database(**told["database"], names=names)
    stored, app = _Stored(**told["backup"]), database.app
    _say(f"db.push was killed; the database of {app} is put back from {stored.id}.")
    try:
        api = heroku.Api.from_environment(os.environ, notice=_say)
        heroku.put_back(api, database, stored, wait=told["wait"])
    except PullError as error:
        _say(f"{error.what} The database of {app} is NOT what it was. {error.remedy}")
        return
    pushed.forget(app)
    _say(f"The database of {app} is as it was: {stored.id} is back.")


def _say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
