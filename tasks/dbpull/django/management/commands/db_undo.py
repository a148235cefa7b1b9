"""`./manage.py db:undo`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbpull.django.run import add_database, django_run
from dbpull.flags import HELP
from dbpull.flows import undo


class Command(BaseCommand):
    """Swaps the previous database back."""

    help = "Swap back to the previous database (run again to redo)."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which database is meant."""
        add_database(parser)
        parser.add_argument("--original", action="store_true", help=HELP["original"])

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the flow of `invoke db.undo`."""
        with django_run(self, options["database"], options) as face:
            undo.undo(face.settings, face.shell, original=options["original"])
