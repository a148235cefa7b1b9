"""`./manage.py db:mask`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.management.base import CommandParser

from dbpull.django.run import TaskCommand
from dbpull.flags import HELP, MASK_HELP
from dbpull.flows import mask
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Tells what a masked pull does with each column."""

    help = "Tell what is masked, kept and undecided; propose rules by --init."
    settings = ("app", "source", "path")
    switches = ("init",)
    meanings: ClassVar = HELP | MASK_HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --dump and --show, too."""
        super().add_arguments(parser)
        self.add_flag(parser, "dump", metavar="FILE")
        self.add_flag(parser, "show", metavar="TABLE")

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.mask`."""
        if options["show"]:
            mask.show(settings, shell, options["show"])
        else:
            flow = mask.init if options["init"] else mask.report
            flow(settings, shell, options["dump"])
