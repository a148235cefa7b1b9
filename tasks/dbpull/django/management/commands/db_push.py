"""`./manage.py db:push`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.base import CommandParser

from dbpull.django.run import TaskCommand
from dbpull.flags import HELP, PUSH_HELP
from dbpull.push import flow
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Replaces an app's database with the local one."""

    help = "Replace a Heroku app's database with the local one, captured before."
    settings = ("app", "path", "wait", "jobs", "skip_data")
    switches = ("maintenance", "undo", "dry_run")
    short: ClassVar = {"app": "-a"}
    meanings: ClassVar = HELP | PUSH_HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the other flags of `invoke db.push`."""
        super().add_arguments(parser)
        self.add_flag(parser, "confirm")
        self.add_flag(parser, "backup")

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.push`."""
        names = ("confirm", "maintenance", "undo", "backup")
        asked = flow.PushFlags(**{name: options[name] for name in names})
        flow.push(settings, shell, asked, dry_run=options["dry_run"])
