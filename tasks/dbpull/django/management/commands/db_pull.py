"""`./manage.py db:pull`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.base import CommandParser

from dbpull.django.run import TaskCommand
from dbpull.flags import HELP
from dbpull.flows import pull
from dbpull.flows.gather import PullFlags
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Replaces the development database with the source's latest backup."""

    help = (
        "Replace the development database with the source's latest backup. The old"
        " one stays, for db:undo."
    )
    settings = (
        "app", "source", "path", "max_age", "wait", "keep", "jobs", "connections",
        "skip_data", "tolerate",
    )  # fmt: skip
    switches = (
        "delete", "capture", "in_place", "timings", "blank_new", "quiet", "json",
        "dry_run",
    )  # fmt: skip
    # The short forms of 2012.
    short: ClassVar = {"app": "-a", "delete": "-x", "path": "-p", "capture": "-c"}

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line of 2012, and the later flags."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "backup_id", nargs="?", metavar="BACKUP_ID", help=HELP["backup"]
        )
        which.add_argument("--backup", metavar="BACKUP_ID", help="The same.")
        super().add_arguments(parser)
        self.add_flag(parser, "unmasked", metavar="NAME")

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.pull`."""
        backup = options["backup_id"] or options["backup"]
        names = (
            "capture", "delete", "in_place", "blank_new", "unmasked", "quiet", "json",
        )  # fmt: skip
        asked = {name: options[name] for name in names}
        timings = options["timings"] or options["verbosity"] > 1
        flags = PullFlags(backup, **asked, timings=timings)
        pull.pull(settings, shell, flags, dry_run=options["dry_run"])
