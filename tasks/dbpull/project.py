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
    """The project's folder, and its settings from the environment and from files."""

    def __init__(self) -> None:
        self.folder = Path.cwd()
        self.environment: dict[str, str] = {}
        """The variables of our settings (INVOKE_DB_*), taken out of os.environ."""
        self.section: Mapping[str, Any] = {}
        """The section `db` of the project's own invoke.yaml, without other files."""
        self.from_file: set[str] = set()
        """The variables that only `.env` sets."""

    def load(self, folder: Path, *, name: str = DEFAULT) -> None:
        """Read `.env` and invoke.yaml beside tasks.py, and the environment.

        `name` is the name of our collection in tasks.py, and then part of the names of
        tasks, variables and the section of invoke.yaml.

        A variable of the environment wins over the same variable of `.env`. INVOKE_DB_*
        variables are taken out of the environment, since Invoke would cast them and
        fail. Raises UnreadableFile where a file can't be read, ImpossibleValue for a
        name, and ImpossibleValue or EmptyValue for files that Invoke can't merge.
        """
        if not NAME.fits(name):
            raise ImpossibleValue("name in tasks.py", name, "a name that is free")
        NAME.collection = name
        self.folder = folder
        self._read_env_file(folder / ".env")
        for name in [name for name in os.environ if name.startswith(NAME.prefix)]:
            self.environment[name] = os.environ.pop(name)
        read = _read_yaml(folder).get(NAME.section)
        self.section = read if isinstance(read, dict) else {}
        merged.refuse_unmergeable(folder)

    def origin(self, variable: str) -> str:
        """A variable's origin, for messages: `X`, or `X in .env`."""
        return f"{variable} in .env" if variable in self.from_file else variable

    def place(self, variable: str) -> str:
        """A variable's place, for messages: `.env`, or `the environment`."""
        return ".env" if variable in self.from_file else "the environment"

    def _read_env_file(self, path: Path) -> None:
        for name, value in env_file.read(path).items():
            if name not in os.environ:
                os.environb[native(name)] = native(value)
                self.from_file.add(name)


PROJECT = Project()
"""The project of this process; tasks.py loads it."""


def own_folder() -> Path:
    """`.dbpull` in the project: the folder of the embedded server and a kept demo."""
    return PROJECT.folder / ".dbpull"


def make_own_folder() -> Path:
    """Make `.dbpull`: ignored by git, listed by its owner alone.

    Other users may pass through: root's embedded server runs as another user.
    """
    folder = own_folder()
    folder.mkdir(mode=0o711, exist_ok=True)
    ignored = folder / ".gitignore"
    if not ignored.exists():
        ignored.write_text("*\n", encoding="utf-8")
    return folder


def _read_yaml(folder: Path) -> dict[str, Any]:
    """Check invoke.yaml and invoke.yml; return the content of Invoke's choice.

    Raises UnreadableFile.
    """
    # Invoke's own copy of yaml, so that both read alike; the copy has no types.
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
    """An error's reason and line number, without the line's text: it may be secret."""
    if isinstance(error, OSError | UnicodeDecodeError):
        return env_file.cause(error)
    mark = getattr(error, "problem_mark", None)
    place = f"line {mark.line + 1}: " if mark else ""
    return place + str(getattr(error, "problem", None) or "it is not YAML")
