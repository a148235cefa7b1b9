"""The project that uses dbpull: its folder, its .env and its invoke.yaml."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from dbpull import env_file, merged
from dbpull.errors.settings import ImpossibleValue, UnreadableFile
from dbpull.naming import DEFAULT, NAME
from dbpull.native import native


class Project:
    """What tasks.py knows and the tasks need: the folder, and the environment's say."""

    def __init__(self) -> None:
        self.folder = Path.cwd()
        self.environment: dict[str, str] = {}
        self.section: Mapping[str, Any] = {}
        """The `db` of the project's own invoke.yaml, whatever else Invoke has read."""
        self.from_file: set[str] = set()
        """The variables that only `.env` sets."""

    def load(self, folder: Path, *, name: str = DEFAULT) -> None:
        """Read `.env` beside tasks.py and take over what is meant for `db`.

        `name` is what tasks.py calls our collection, where that is another name: so
        are the tasks, the section of invoke.yaml and the variables called then.

        A variable that is set already wins over the file's. INVOKE_DB_* variables
        are taken out of the environment, since Invoke would cast them and fail.
        Raises UnreadableFile where invoke.yaml is not YAML, ImpossibleValue for a name,
        and either or EmptyValue for files that Invoke can't merge.
        """
        if not NAME.fits(name):
            raise ImpossibleValue("name in tasks.py", name, "a name that is free")
        NAME.told = name
        self.folder = folder
        self._read_env_file(folder / ".env")
        for name in [name for name in os.environ if name.startswith(NAME.prefix)]:
            self.environment[name] = os.environ.pop(name)
        read = _read_yaml(folder).get(NAME.section)
        self.section = read if isinstance(read, dict) else {}
        merged.refuse_unmergeable(folder)

    def origin(self, variable: str) -> str:
        """Where a variable came from, for messages: `X`, or `X in .env`."""
        return f"{variable} in .env" if variable in self.from_file else variable

    def place(self, variable: str) -> str:
        """Where a variable was set: `.env`, or `the environment`."""
        return ".env" if variable in self.from_file else "the environment"

    def _read_env_file(self, path: Path) -> None:
        for name, value in env_file.read(path).items():
            if name not in os.environ:
                os.environb[native(name)] = native(value)
                self.from_file.add(name)


PROJECT = Project()
"""The one project of this process; tasks.py loads it."""


def own_folder() -> Path:
    """`.dbpull` in the project: what the embedded server and a kept demo have."""
    return PROJECT.folder / ".dbpull"


def make_own_folder() -> Path:
    """Make it: ignored by git, listed by us alone.

    Others may pass through: root's embedded server runs as another user.
    """
    folder = own_folder()
    folder.mkdir(mode=0o711, exist_ok=True)
    ignored = folder / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n", encoding="utf-8")
    return folder


def _read_yaml(folder: Path) -> dict[str, Any]:
    """Both files, the one that Invoke takes first. Raises UnreadableFile."""
    # Invoke's own copy, which no type checker knows: what it reads is what counts.
    yaml: Any = import_module("invoke.util").yaml

    found: list[dict[str, Any]] = []
    for path in (folder / "invoke.yaml", folder / "invoke.yml"):
        if path.is_file():
            try:
                read = yaml.safe_load(path.read_text(encoding="utf-8"))
            except (yaml.YAMLError, OSError, UnicodeDecodeError) as error:
                raise UnreadableFile(path.name, _cause(error)) from None
            if not isinstance(read, dict | type(None)):
                raise UnreadableFile(path.name, "it is not a mapping")
            found.append(read or {})
    return found[0] if found else {}


def _cause(error: Exception) -> str:
    """Why, and on which line; without that line's text, which may be a secret."""
    if isinstance(error, OSError | UnicodeDecodeError):
        return env_file.cause(error)
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}: " if mark else ""
    return place + str(getattr(error, "problem", None) or "it is not YAML")
