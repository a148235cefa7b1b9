"""`./manage.py db:backups`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbpull.django.run import add_app, add_database, django_run
from dbpull.flags import HELP
from dbpull.flows import backups


class Command(BaseCommand):
    """Lists the backups."""

    help = "List what there is to pull, on Heroku and here."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare which database is meant, and of which app."""
        add_app(parser)
        add_database(parser)
        parser.add_argument("-p", "--path", help=HELP["path"])

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the flow of `invoke db.backups`."""
        given = {"app": options["app"], "path": options["path"]}
        with django_run(self, options["database"], options, **given) as face:
            backups.tell(face.settings, face.shell)
