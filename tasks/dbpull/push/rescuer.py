"""The rescuer of a push: a process that repairs the app if the push is killed.

No process can clean up after its own `kill -9`. So the push starts a rescuer
(`waiting.py`) and registers tasks over a pipe: put the captured backup back, end
maintenance mode. When the pipe ends, the tasks that are still registered are run
(`rescue.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from dbpull.naming import NAME
from dbpull.project import PROJECT
from dbpull.signals import SIGNALS
from dbpull.sources.heroku_app import HerokuDatabase
from dbpull.sources.source import SourceBackup
from dbpull.standby import Standby


class Rescuer(Standby):
    """The push's end of the pipe to its rescuer: registers and withdraws tasks."""

    def __init__(self) -> None:
        super().__init__("dbpull.push.waiting")
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
        self._register("backup", task)

    def must_end_maintenance(self, app: str) -> None:
        """Register the task of ending the app's maintenance mode."""
        self._register("maintenance", app)

    def need_not_put_back(self) -> None:
        """Withdraw the task: push or backup is in place, or the failure is told."""
        self._register("backup", None)

    def need_not_end_maintenance(self) -> None:
        """Withdraw the task: the mode has ended, or the failure is told."""
        self._register("maintenance", None)

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
