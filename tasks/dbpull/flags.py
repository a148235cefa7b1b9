"""The flags of the tasks: their help, their short forms."""

from __future__ import annotations

from functools import partial
from typing import Any

import invoke.tasks

from dbpull import mistyped
from dbpull.errors.settings import EmptyValue
from dbpull.keys import KEYS
from dbpull.naming import NAME, setting

HELP = {
    "blank_new": "Let columns that nobody has decided about come blank, this once.",
    "app": "Heroku app: an alias of {apps}, or a name.",
    "backup": "Backup to use (b101); else the newest of the database.",
    "capture": "Take a new backup even if a recent one exists.",
    "confirm": "The app's real name: confirms that its database is replaced.",
    "connections": "Number of connections that fetch a dump.",
    "database": "Which of the app's databases.",
    "delete": "Remove the dump afterwards.",
    "drop": "Drop the snapshot of this name.",
    "dry_run": "Show the plan and every command; change nothing.",
    "dump": "Dump to restore; else the newest local one.",
    "in_place": "Refill the target itself, for a role that can't create databases.",
    "jobs": "Number of restore workers.",
    "json": "Print the result as JSON, one line on stdout.",
    "keep": "How many dumps of an app to keep.",
    "masked": "Push although the rows are masked.",
    "maintenance": "Put the app into maintenance mode meanwhile.",
    "max_age": "How old a backup may be before a new one is captured.",
    "name": "The snapshot's name.",
    "original": "Bring back a database that dbpull had not filled.",
    "path": "Folder for dumps.",
    "quiet": "Tell errors alone.",
    "source": "Where to pull from: an alias of {sources}, or postgres://… and others.",
    "skip_data": "Tables to restore without rows (django_session,audit.*).",
    "target": "URL of the database to replace.",
    "timings": "Draw what ran when, and name what took longest.",
    "to": "Bring back the snapshot of this name; else the latest.",
    "tolerate": "Entries that may fail ('POLICY *,VIEW old').",
    "unmasked": "Pull without masks: the name of what comes, if {unmasked} is set.",
    "undo": "Put back what the last push replaced.",
    "upload": "Fetch the dump here and send it, for hosts without internet (fab -H).",
    "wait": "How long to wait for a capture, or for a silent source.",
}


EXAMPLES = {
    "backups": "-a staging",
    "capture": "-a staging",
    "cleanup": "--keep=1",
    "demo": "--keep",
    "doctor": "-a staging",
    "fetch": "-a staging --backup=b101",
    "pull": "-a staging --delete",
    "push": "-a staging --dry-run",
    "reset": "--to=before-migrating",
    "restore": "--dump=local/some.dump",
    "snapshot": "before-migrating",
    "stop": "--demo",
    "undo": "--original",
}
"""The words of an example, for tasks that take some."""
SHORT = {"app": ["a"]}
"""The short forms: `-a`, as in the Heroku CLI."""

CLEANUP_HELP = {
    "original": "Drop the replaced databases that dbpull had not filled.",
    "previous": "Drop the previous database, which an undo would bring back.",
}
MASK_HELP = {
    "dump": "Dump to look at; else the newest that is here, else the target.",
    "init": "Propose rules, and list what else is to be decided in kept-columns.txt.",
    "show": "Show five rows of a table of the target, on a terminal.",
}
PUSH_HELP = {
    "target": "URL of the local database, which is pushed.",
    "backup": "Put this backup back, not what the last push replaced.",
}
"""The flags with another meaning in `db.cleanup`, and in `db.push`."""


class Task(invoke.tasks.Task[Any]):
    """A task whose help has an example, and defaults; with the short forms of SHORT.

    Invoke itself gives each flag a short form: `-d` would then not be --debug.
    """

    @property
    def __doc__(self) -> str:
        """The docstring, with an example as it is typed in this project."""
        words = EXAMPLES.get(self.__name__, "")
        example = f"{NAME.invoke(self.__name__)} {words}".rstrip()
        return f"{self._text}\n\nExample: {example}"

    @__doc__.setter  # noqa: A003
    def __doc__(self, text: str) -> None:
        self._text = text

    def arg_opts(
        self, name: str, default: str, taken_names: set[str]
    ) -> dict[str, Any]:
        """The options of a flag's Argument, as Invoke's, with the short form."""
        options = super().arg_opts(name, default, taken_names)
        options["names"] += SHORT.get(name, [])
        told = default_shown(name) if default is None else ""
        options["help"] = help_text(options.get("help") or "") + told
        return options


mistyped.watch()
task = partial(invoke.tasks.task, klass=Task, auto_shortflags=False)
"""Invoke's decorator `task`, for our class Task."""


def help_text(text: str) -> str:
    """The help of a flag, with our settings as this project names them."""
    names = ("apps", "sources", "unmasked")
    return text.format(**{name: setting(name) for name in names})


def default_shown(name: str) -> str:
    """A setting's default, as its flag's help tells it; "" where there is none."""
    key = KEYS.get(name)
    if key is None or key.file_only:  # then the flag has another meaning
        return ""
    shown = key.shown.replace("`", "") or key.default
    return f" Default: {shown}." if shown else ""


def help_of(*names: str) -> dict[str, str]:
    """The help of a task's flags, as Invoke's decorator takes it."""
    return {name.replace("_", "-"): HELP[name] for name in names}


def refuse_empty(**flags: str | None) -> None:
    """Raise EmptyValue for a flag like `--backup=$ID` where the variable is empty."""
    for name, value in flags.items():
        if value is not None and not value.strip():
            raise EmptyValue(f"--{name}")
