"""What a project calls our tasks and settings: `db`, unless it has a `db` of its own.

Sentences are written with `db`; they get the project's name where they are told.
"""

from __future__ import annotations

import re

DEFAULT = "db"
TAKEN = {"run", "runners", "sudo", "tasks", "timeouts"}
"""Parts of a configuration that are Invoke's own."""
_WORDS = re.compile(r"[A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)*")
_COMMAND = re.compile(r"(?<=\binvoke )db\.(?=[a-z])")
# The tasks and the settings: a table of a schema `db`, or a host, is neither.
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
        """Whether there can be tasks, variables and a section of that name."""
        section = name.rpartition(".")[2]
        return bool(_WORDS.fullmatch(name)) and section not in TAKEN

    @property
    def section(self) -> str:
        """The part of invoke.yaml that is ours."""
        return self.told.rpartition(".")[2]

    @property
    def prefix(self) -> str:
        """How the variables of our settings begin."""
        return f"INVOKE_{self.section.upper().replace('-', '_')}_"

    @property
    def typed(self) -> str:
        """The collection as Invoke wants it typed: dashes for underscores."""
        return self.told.replace("_", "-")

    def task(self, task: str) -> str:
        """What `db.undo` is called here."""
        return f"{self.typed}.{task.removeprefix(f'{DEFAULT}.')}"

    def in_commands(self, text: str) -> str:
        """A text whose `invoke db.undo` is what is to be typed here."""
        return _COMMAND.sub(f"{self.typed}.", text)

    def in_sentence(self, text: str) -> str:
        """A sentence of ours with the tasks, settings and variables of here."""
        if self.told == DEFAULT:
            return text
        text = _VARIABLE.sub(rf"\1_{self.prefix.removeprefix('INVOKE_')}", text)
        text = self.in_commands(text)
        return _NAMED.sub(lambda found: self._called(found, text), text)

    def _called(self, found: re.Match[str], text: str) -> str:
        is_task = re.match(rf"(?:{_TASKS})\b", text[found.end() :])
        return f"{self.typed if is_task else self.section}."


NAME = Name()
"""The one name of this process; tasks.py tells it (`PROJECT.load`)."""
