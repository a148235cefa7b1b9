"""A run of a task in a Django process: Django's settings and output, for the flow."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar, TextIO

from django.conf import settings as django_settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.test.utils import _TestState
from invoke.config import Config

from dbpull import configured
from dbpull.django.apps import COMMANDS
from dbpull.django.target import NoService, url_of
from dbpull.errors import PullError
from dbpull.errors.spelling import did_you_mean
from dbpull.flags import HELP, default_shown, help_text, refuse_empty
from dbpull.naming import DEFAULT, NAME
from dbpull.project import PROJECT
from dbpull.settings import Settings
from dbpull.shell.local import Local
from dbpull.sources import heroku_app

SILENT, USUAL, CHATTY = 0, 1, 2
"""Levels of --verbosity: errors only; the run's messages; every command, too."""
_one_at_a_time = threading.Lock()


class Error(CommandError):
    """The end of a command; Django prints the name of the class before the text."""


class TaskCommand(BaseCommand):
    """A command that runs a task's flow on one of Django's DATABASES."""

    requires_system_checks = ()  # an outdated database must not stop a pull
    settings: tuple[str, ...] = ()
    """The settings that have a flag."""
    switches: tuple[str, ...] = ()
    short: ClassVar = {"app": "-a", "path": "-p"}
    """The short forms of flags."""
    meanings: ClassVar = HELP
    """The help of each flag."""

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare --database, an alias of DATABASES, and the command's own flags."""
        parser.add_argument(
            "--database",
            metavar="ALIAS",
            default="default",
            help="Which of DATABASES is meant (default).",
        )
        for name in self.settings:
            self.add_flag(parser, name)
        for name in self.switches:
            self.add_flag(parser, name, action="store_true")

    def add_flag(self, parser: CommandParser, name: str, **options: Any) -> None:
        """Declare a flag, with its short form and its help."""
        names = [*filter(None, [self.short.get(name)]), "--" + name.replace("_", "-")]
        told = help_text(self.meanings[name])
        if not options:
            told += default_shown(name)
        # Django formats it once more: `%` is none of ours.
        parser.add_argument(*names, help=told.replace("%", "%%"), **options)

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the flow."""
        flags = {name: options[name] for name in self.settings}
        with _run(self, options["database"], options, **flags) as (settings, shell):
            self.flow(settings, shell, options)

    def flow(self, settings: Settings, shell: Local, options: dict[str, Any]) -> None:
        """Call the task's flow; each command has its own."""
        raise NotImplementedError


@contextmanager
def _run(
    command: BaseCommand, alias: str, options: dict[str, Any], **flags: str | None
) -> Iterator[tuple[Settings, Local]]:
    """The project's settings and the target of DATABASES, for one run.

    `.env` is added to the environment, which is restored afterwards. Django's own
    connections to the target are closed first. One thread runs at a time. Raises
    Error in place of the flow's PullError.
    """
    with _one_at_a_time, _spoken(command, options), _own_environment(options):
        try:
            name = getattr(django_settings, "DBPULL_NAME", DEFAULT)
            PROJECT.load(project_folder(), name=name)
            given = {name: options.get(name) for name in ("backup", "confirm", "to")}
            refuse_empty(**given)
            heroku_app.forget()
            config = Config(project_location=PROJECT.folder)
            config.load_project()
            settings = Settings.of(
                configured.section(config), configured.files(config), **flags
            )
            target = _target(alias)
            settings = replace(
                settings,
                target=target,
                origins={**settings.origins, "target": _origin(alias)},
            )
            _let_go(alias)
            yield settings, _shell(options)
        except PullError as error:
            told = error.told(_typed)
            raise Error(told, returncode=error.code) from error


def project_folder() -> Path:
    """The folder of manage.py, with invoke.yaml and .env."""
    program = Path(sys.argv[0])
    if program.name == "manage.py" and program.is_file():
        return program.resolve().parent
    module = sys.modules.get(os.environ.get("DJANGO_SETTINGS_MODULE", ""))
    files = [Path(file)] if (file := getattr(module, "__file__", None)) else []
    for folder in (folder for file in files for folder in file.resolve().parents):
        if (folder / "manage.py").is_file():
            return folder
    return Path(getattr(django_settings, "BASE_DIR", None) or Path.cwd()).resolve()


def _target(alias: str) -> str:
    if alias not in connections.settings:
        known = ", ".join(connections.settings)
        near = did_you_mean(alias, list(connections.settings)).rstrip()
        raise Error(
            f"There is no database {alias}: DATABASES has {known}. {near}".rstrip()
        )
    connection = connections[alias]
    database = connection.settings_dict
    if connection.vendor != "postgresql":
        raise Error(
            f"{_origin(alias)} is {connection.display_name} ({database['ENGINE']});"
            " a Heroku backup needs PostgreSQL."
        )
    test = (database.get("TEST") or {}).get("NAME")
    if hasattr(_TestState, "saved_data") or (test and test == database["NAME"]):
        raise Error(
            f"{_origin(alias)} is a test database now, which is not for pulling into."
        )
    try:
        return url_of(database)
    except (NoService, OSError) as error:
        raise Error(f"{_origin(alias)} can't be used: {error}.") from error


def _let_go(alias: str) -> None:
    """Close Django's connections to the database: Django opens new ones on need.

    Source: close and close_pool in django/db/backends/.
    """
    target = connections[alias].settings_dict
    same = [
        connection
        for connection in connections.all(initialized_only=True)
        if all(
            connection.settings_dict.get(key) == target.get(key)
            for key in ("HOST", "PORT", "NAME")
        )
    ]
    for connection in same:
        if connection.in_atomic_block:
            raise Error(
                f"A transaction is open on {_origin(connection.alias)}; the database"
                " can't be replaced within it."
            )
    for connection in same:
        connection.close()
        if hasattr(connection, "close_pool"):
            connection.close_pool()


def _origin(alias: str) -> str:
    module = os.environ.get("DJANGO_SETTINGS_MODULE")
    return f'DATABASES["{alias}"]' + (f" of {module}" if module else "")


def _shell(options: dict[str, Any]) -> Local:
    echo = None
    if options.get("verbosity", USUAL) >= CHATTY:
        from dbpull.console import Reporter

        echo = Reporter().say
    return Local(echo, typed=_typed)


def _typed(task: str) -> str:
    """The command line of a task: its Django command, where the task has one."""
    if f"db_{task}" in COMMANDS:
        return f"./manage.py db:{task}"
    return NAME.invoke(task)


@contextmanager
def _own_environment(options: dict[str, Any]) -> Iterator[None]:
    before = dict(os.environ)
    if options.get("no_color"):
        os.environ["NO_COLOR"] = "1"
    PROJECT.environment.clear()
    try:
        yield
    finally:
        # Only changed variables: other threads may read the environment at any time.
        for name in [name for name in os.environ if name not in before]:
            del os.environ[name]
        for name, value in before.items():
            if os.environ.get(name) != value:
                os.environ[name] = value


@contextmanager
def _spoken(command: BaseCommand, options: dict[str, Any]) -> Iterator[None]:
    """Send the run's output to the streams of the Django command."""
    silent = options.get("verbosity", USUAL) == SILENT
    err: TextIO = StringIO() if silent else _under(command.stderr)
    out = _under(command.stdout)
    with ExitStack() as stack:
        if err is not sys.stderr:
            stack.enter_context(redirect_stderr(err))
        if out is not sys.stdout:
            stack.enter_context(redirect_stdout(out))
        yield


def _under(wrapper: Any) -> TextIO:
    """The stream under Django's wrapper, which would add styles and line ends."""
    return wrapper._out  # type: ignore[no-any-return]
