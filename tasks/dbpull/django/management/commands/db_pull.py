"""`./manage.py db:pull`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dbpull.django.run import add_app, add_database, django_run
from dbpull.flags import HELP
from dbpull.flows import pull
from dbpull.flows.gather import PullFlags

SHORT = {"delete": "-x", "path": "-p", "capture": "-c"}
"""As the readers of 2012 typed them."""
SETTINGS = (
    "path", "max_age", "wait", "keep", "jobs", "connections", "skip_data", "tolerate",
)  # fmt: skip
SWITCHES = ("delete", "capture", "in_place", "timings", "dry_run")


class Command(BaseCommand):
    """Replaces the development database with the app's latest backup."""

    help = (
        "Replace the development database with a Heroku app's latest backup. The old"
        " one stays, for db:undo."
    )
    requires_system_checks = ()  # an outdated database is why one pulls

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the command line of 2012, and what came since."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "backup_id", nargs="?", metavar="BACKUP_ID", help=HELP["backup"]
        )
        which.add_argument("--backup", metavar="BACKUP_ID", help="The same.")
        add_app(parser)
        add_database(parser)
        for name in SETTINGS:
            parser.add_argument(*_names(name), help=HELP[name])
        for name in SWITCHES:
            parser.add_argument(*_names(name), action="store_true", help=HELP[name])

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the flow of `invoke db.pull`."""
        backup = options["backup_id"] or options["backup"]
        asked = {name: options[name] for name in ("capture", "delete", "in_place")}
        timings = options["timings"] or options["verbosity"] > 1
        given = {name: options[name] for name in ("app", *SETTINGS)}
        with django_run(self, options["database"], options, **given) as face:
            pull.pull(
                face.settings,
                face.shell,
                PullFlags(backup, **asked, timings=timings),
                dry_run=options["dry_run"],
            )


def _names(name: str) -> list[str]:
    short = [SHORT[name]] if name in SHORT else []
    return [*short, "--" + name.replace("_", "-")]
