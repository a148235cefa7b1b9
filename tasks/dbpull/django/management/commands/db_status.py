"""`./manage.py db:status`."""

from __future__ import annotations

from typing import Any

from dbpull.django.run import TaskCommand
from dbpull.flows import status
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Tells what is where."""

    help = "Tell what is where: target, kept databases, dumps, newest backup."
    settings = ("app", "source", "path")
    switches = ("json",)

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.status`."""
        status.status(settings, shell, json=options["json"])
