"""`./manage.py db:url`."""

from __future__ import annotations

from typing import Any

from dbpull.django.run import TaskCommand
from dbpull.flows import server
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Prints the URL of a database."""

    help = "Print the database's URL, with its password; an embedded server is started."

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.url`."""
        server.url(settings, shell)
