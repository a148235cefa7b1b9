"""`./manage.py db:doctor`."""

from __future__ import annotations

from typing import Any

from dbpull.django.run import TaskCommand
from dbpull.flows import doctor
from dbpull.settings import Settings
from dbpull.shell.local import Local


class Command(TaskCommand):
    """Checks all that a pull needs."""

    help = "Check all that a pull needs, and name the remedy for what is amiss."
    settings = ("app", "source", "path")

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Run the flow of `invoke db.doctor`."""
        doctor.doctor(settings, shell)
