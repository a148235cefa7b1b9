"""`./manage.py db:url`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbpull.django.run import add_database, django_run
from dbpull.flows import server


class Command(BaseCommand):
    """Prints the URL of a database."""

    help = "Print the database's URL, with its password; an embedded server is started."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which database is meant."""
        add_database(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the flow of `invoke db.url`."""
        with django_run(self, options["database"], options) as face:
            server.url(face.settings, face.shell)
