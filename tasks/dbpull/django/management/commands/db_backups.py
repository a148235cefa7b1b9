"""`./manage.py db:backups`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbpull.django.face import add_app, add_database, facing
from dbpull.flags import HELP
from dbpull.steps import overview


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
        with facing(self, options["database"], options, **given) as face:
            overview.tell(face.settings, face.shell)
