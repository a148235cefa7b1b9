"""`./manage.py db:backups`."""

from __future__ import annotations

from typing import Any

from dbpull.django.run import TaskCommand
from dbpull.flows import backups
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Lists the backups."""

    help = "List what there is to pull, at the source and here."
    settings = ("app", "source", "path")
    switches = ("quiet", "json")

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.backups`."""
        asked = {name: options[name] for name in self.switches}
        backups.tell(settings, shell, **asked)
