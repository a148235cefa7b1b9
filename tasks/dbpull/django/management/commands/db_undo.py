"""`./manage.py db:undo`."""

from __future__ import annotations

from typing import Any

from dbpull.django.run import TaskCommand
from dbpull.flows import undo
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Swaps the previous database back."""

    help = "Swap back to the previous database (run again to redo)."
    switches = ("original",)

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.undo`."""
        undo.undo(settings, shell, original=options["original"])
