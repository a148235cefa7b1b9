"""The tasks that a killed push has left to its rescuer."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from dbpull import heroku
from dbpull.errors import PullError
from dbpull.naming import DEFAULT, NAME, filled
from dbpull.project import PROJECT
from dbpull.push import history


def run(registered: dict[str, Any]) -> None:
    """Run the tasks that the killed push had registered."""
    PROJECT.folder = Path(registered.get("folder", "."))
    NAME.collection = registered.get("name", DEFAULT)
    try:
        if task := registered.get("backup"):
            _put_back(**task)
    finally:
        if app := registered.get("maintenance"):
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
