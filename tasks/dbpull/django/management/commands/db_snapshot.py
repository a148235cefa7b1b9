"""`./manage.py db:snapshot`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from dbpull.django.run import TaskCommand
from dbpull.flags import HELP
from dbpull.flows import snapshots
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Keeps the target under a name, or drops what was kept."""

    help = "Keep the target as it is, as a copy with a name."
    switches = ("drop",)

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the snapshot's name, beside the common flags."""
        super().add_arguments(parser)
        parser.add_argument("name", help=HELP["name"])

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.snapshot`."""
        do = snapshots.drop if options["drop"] else snapshots.snapshot
        do(settings, shell, options["name"])
