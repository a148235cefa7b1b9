"""The project's name for our tasks and settings: `db`, unless the project uses `db`.

A sentence with a command to type has a placeholder, `command("undo")`: the command line
depends on the program that runs (invoke, fab or manage.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable

DEFAULT = "db"
TAKEN = {"run", "runners", "sudo", "tasks", "timeouts"}
"""Invoke's own sections of a configuration."""
_WORDS = re.compile(r"[A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)*")
_PLACEHOLDER = re.compile(r"\0([^\0]+)\0")
CommandFor = Callable[[str], str]
"""Gives the command line of a task: `invoke db.undo` for `undo`."""


class Name:
    """The project's name for us; `ops.dbpull` for a collection inside another."""

    def __init__(self) -> None:
        self.collection = DEFAULT

    @staticmethod
    def fits(name: str) -> bool:
        """Whether tasks, variables and a section can have the name."""
        section = name.rpartition(".")[2]
        return bool(_WORDS.fullmatch(name)) and section not in TAKEN

    @property
    def section(self) -> str:
        """Our section's name in invoke.yaml."""
        return self.collection.rpartition(".")[2]

    @property
    def prefix(self) -> str:
        """The prefix of our settings' variables: `INVOKE_DB_`."""
        return f"INVOKE_{self.section.upper().replace('-', '_')}_"

    def task(self, task: str) -> str:
        """A task's name, as Invoke wants it typed: dashes for underscores."""
        return f"{self.collection.replace('_', '-')}.{task}"

    def invoke(self, task: str) -> str:
        """The command line of a task on this machine."""
        return f"invoke {self.task(task)}"


NAME = Name()
"""The name in this process; tasks.py sets it (`PROJECT.load`)."""


def setting(key: str) -> str:
    """A setting as messages name it: `db.path`."""
    return f"{NAME.section}.{key}"


def variable(key: str) -> str:
    """A setting's variable: `INVOKE_DB_PATH`."""
    return f"{NAME.prefix}{key.upper()}"


def command(task: str) -> str:
    """A placeholder for the command line of a task."""
    return f"\0{task}\0"


def filled(text: str, command_for: CommandFor) -> str:
    """The text with command lines in place of its placeholders."""
    return _PLACEHOLDER.sub(lambda found: command_for(found[1]), text)
