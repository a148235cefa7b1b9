"""`./manage.py db:reset`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from dbpull.django.run import TaskCommand
from dbpull.flows import snapshots
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Brings a snapshot back."""

    help = "Replace the target by a copy of its latest snapshot, in a moment."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the snapshot's name, beside the common flags."""
        super().add_arguments(parser)
        self.add_flag(parser, "to", metavar="NAME")

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.reset`."""
        snapshots.reset(settings, shell, options["to"])
