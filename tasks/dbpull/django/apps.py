"""Adds the commands whose names have a colon, which no file's name may have."""

from __future__ import annotations

import sys
from importlib import import_module

from django.apps import AppConfig
from django.core.management import get_commands

COMMANDS = (
    "db_pull", "db_push", "db_undo", "db_backups", "db_cleanup", "db_url",
)  # fmt: skip
"""The commands that there are files of; each has a twin with a colon: `db:pull`."""


class DbpullConfig(AppConfig):
    """What `dbpull.django` in INSTALLED_APPS means."""

    name = "dbpull.django"
    label = "dbpull"
    verbose_name = "dbpull"

    def ready(self) -> None:
        """Name the twins where Django looks for commands, and for their modules.

        Source: get_commands and load_command_class in django/core/management. The
        dictionary holds an app's name for each; `help` reads nothing else there.
        """
        folder = f"{self.name}.management.commands"
        for command in COMMANDS:
            twin = command.replace("_", ":", 1)
            sys.modules[f"{folder}.{twin}"] = import_module(f"{folder}.{command}")
            get_commands()[twin] = self.name
