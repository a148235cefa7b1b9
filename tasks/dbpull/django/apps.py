"""The Django app's configuration, which adds commands with a colon: `db:pull`."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.core.management import get_commands

from dbpull.supported import refusal

COMMANDS = (
    "db_backups", "db_cleanup", "db_doctor", "db_mask", "db_pull", "db_push",
    "db_reset", "db_shell", "db_snapshot", "db_snapshots", "db_status", "db_undo",
    "db_url",
)  # fmt: skip
"""The commands with a file; each has a twin with a colon: `db:pull`."""


class DbpullConfig(AppConfig):
    """The configuration of `dbpull.django` in INSTALLED_APPS."""

    name = "dbpull.django"
    label = "dbpull"
    verbose_name = "dbpull"

    def ready(self) -> None:
        """Add the twins to Django's commands, and their modules to sys.modules.

        Source: get_commands and load_command_class in django/core/management. The
        dictionary holds an app's name for each command; `help` reads the dictionary.
        """
        if refusal():
            return  # the project's other commands work; `db_pull` tells why it can't
        folder = f"{self.name}.management.commands"
        for command in COMMANDS:
            twin = command.replace("_", ":", 1)
            sys.modules[f"{folder}.{twin}"] = import_module(f"{folder}.{command}")
            get_commands()[twin] = self.name
        _use_the_new_database()


def _use_the_new_database() -> None:
    """Have DATABASES name the new database in a command of `before_swap`.

    Settings need not read DATABASE_URL: `migrate` would change the old database.
    """
    for database in settings.DATABASES.values():
        if database.get("NAME") and database["NAME"] == os.environ.get("DBPULL_TARGET"):
            database["NAME"] = os.environ["PGDATABASE"]
