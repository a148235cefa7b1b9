"""`./manage.py db:cleanup`."""

from __future__ import annotations

from typing import Any, ClassVar

from dbpull.django.run import TaskCommand
from dbpull.flags import CLEANUP_HELP, HELP
from dbpull.flows import cleanup
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Removes surplus dumps and the remains of crashed runs."""

    help = "Remove dumps beyond the newest few, and what crashed runs left."
    settings = ("path", "keep")
    switches = ("previous", "original")
    meanings: ClassVar = HELP | CLEANUP_HELP

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.cleanup`."""
        switches = {name: options[name] for name in self.switches}
        cleanup.cleanup(settings, shell, **switches)
