"""`./manage.py db:snapshots`."""

from __future__ import annotations

from typing import Any

from dbpull.django.run import TaskCommand
from dbpull.flows import snapshots
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Lists the snapshots."""

    help = "List the target's snapshots."
    switches = ("quiet", "json")

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.snapshots`."""
        asked = {name: options[name] for name in self.switches}
        snapshots.tell(settings, shell, **asked)
