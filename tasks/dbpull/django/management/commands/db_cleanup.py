"""`./manage.py db:cleanup`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbpull.django.run import add_database, django_run
from dbpull.flags import CLEANUP_HELP, HELP
from dbpull.flows import cleanup


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
            "--original", action="store_true", help=CLEANUP_HELP["original"]
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the flow of `invoke db.cleanup`."""
        given = {"path": options["path"], "keep": options["keep"]}
        with django_run(self, options["database"], options, **given) as face:
            cleanup.cleanup(face.settings, face.shell, original=options["original"])
