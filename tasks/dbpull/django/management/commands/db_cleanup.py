"""`./manage.py db:cleanup`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbpull.django.face import add_database, facing
from dbpull.flags import HELP, OF_CLEANUP
from dbpull.steps import tidy


class Command(BaseCommand):
    """Removes what is not needed any more."""

    help = "Remove dumps beyond the newest few, and what crashed runs left."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what `invoke db.cleanup` has, too."""
        add_database(parser)
        parser.add_argument("-p", "--path", help=HELP["path"])
        parser.add_argument("--keep", help=HELP["keep"])
        parser.add_argument(
            "--original", action="store_true", help=OF_CLEANUP["original"]
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the flow of `invoke db.cleanup`."""
        given = {"path": options["path"], "keep": options["keep"]}
        with facing(self, options["database"], options, **given) as face:
            tidy.cleanup(face.settings, face.shell, original=options["original"])
