"""`./manage.py db:push`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbpull.django.run import add_app, add_database, django_run
from dbpull.flags import HELP, PUSH_HELP
from dbpull.push import flow

SETTINGS = ("path", "wait", "jobs", "skip_data")
SWITCHES = ("maintenance", "undo", "dry_run")


class Command(BaseCommand):
    """Replaces an app's database with the local one."""

    help = "Replace a Heroku app's database with the local one, captured before."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what `invoke db.push` has, too."""
        add_app(parser)
        add_database(parser)
        for name in ("confirm", "backup", *SETTINGS):
            flag = "--" + name.replace("_", "-")
            parser.add_argument(flag, help=(HELP | PUSH_HELP)[name])
        for name in SWITCHES:
            flag = "--" + name.replace("_", "-")
            parser.add_argument(flag, action="store_true", help=HELP[name])

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the flow of `invoke db.push`."""
        names = ("confirm", "maintenance", "undo", "backup")
        asked = flow.PushFlags(**{name: options[name] for name in names})
        given = {name: options[name] for name in ("app", *SETTINGS)}
        with django_run(self, options["database"], options, **given) as face:
            flow.push(face.settings, face.shell, asked, dry_run=options["dry_run"])
