"""`./manage.py db:shell`."""

from __future__ import annotations

from typing import Any

from dbpull.django.run import TaskCommand
from dbpull.flows import server
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Opens psql on a database."""

    help = "Open psql on the database; an embedded server is started."

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.shell`."""
        server.open_psql(settings, shell)
