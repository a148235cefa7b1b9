"""The project's name for our tasks and settings: `db`, unless the project uses `db`.

The source has all sentences with `db`; the project's name is put in on printing.
"""

from __future__ import annotations

import re

DEFAULT = "db"
TAKEN = {"run", "runners", "sudo", "tasks", "timeouts"}
"""Invoke's own sections of a configuration."""
_WORDS = re.compile(r"[A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)*")
_COMMAND = re.compile(r"(?<=\binvoke )db\.(?=[a-z])")
# Only tasks and settings are renamed: not a table of a schema `db`, not a host.
_TASKS = "backups|capture|cleanup|demo|fetch|pull|push|restore|start|stop|undo|url"
_KEYS = (
    "allowed_hosts|apps?|connections|database|hosts|jobs|keep|max_age|path|protected"
    "|skip_data|target|tolerate|wait"
)
_NAMED = re.compile(rf"(?<![\w.@/-])db\.(?=(?:{_TASKS}|{_KEYS})\b)")
_VARIABLE = re.compile(r"\b(INVOKE|FABRIC)_DB_(?=[A-Z])")


class Name:
    """The project's name for us; `ops.dbpull` where the collection is in another."""

    def __init__(self) -> None:
        self.told = DEFAULT

    @staticmethod
    def fits(name: str) -> bool:
        """Whether tasks, variables and a section can have that name."""
        section = name.rpartition(".")[2]
        return bool(_WORDS.fullmatch(name)) and section not in TAKEN

    @property
    def section(self) -> str:
        """Our section's name in invoke.yaml."""
        return self.told.rpartition(".")[2]

    @property
    def prefix(self) -> str:
        """The prefix of our settings' variables: `INVOKE_DB_`."""
        return f"INVOKE_{self.section.upper().replace('-', '_')}_"

    @property
    def typed(self) -> str:
        """The collection as Invoke wants it typed: dashes for underscores."""
        return self.told.replace("_", "-")

    def task(self, task: str) -> str:
        """The project's name of a task such as `db.undo`."""
        return f"{self.typed}.{task.removeprefix(f'{DEFAULT}.')}"

    def in_commands(self, text: str) -> str:
        """The text with the project's name in commands such as `invoke db.undo`."""
        return _COMMAND.sub(f"{self.typed}.", text)

    def in_sentence(self, text: str) -> str:
        """The sentence with the project's name in tasks, settings and variables."""
        if self.told == DEFAULT:
            return text
        text = _VARIABLE.sub(rf"\1_{self.prefix.removeprefix('INVOKE_')}", text)
        text = self.in_commands(text)
        return _NAMED.sub(lambda found: self._called(found, text), text)

    def _called(self, found: re.Match[str], text: str) -> str:
        is_task = re.match(rf"(?:{_TASKS})\b", text[found.end() :])
        return f"{self.typed if is_task else self.section}."


NAME = Name()
"""The one name of this process; tasks.py sets it (`PROJECT.load`)."""
