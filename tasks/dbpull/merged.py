"""What the files that Invoke merges say of us, where they can't be merged.

One that has a mapping where another has none (`db:` with nothing below it) ends
Invoke with a traceback; told here, before it merges them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from dbpull import configured
from dbpull.errors.settings import EmptyValue, ImpossibleValue
from dbpull.naming import NAME

_SUFFIXES = ("yaml", "yml", "json")
_Said = list[tuple[str, Any]]
"""What each file says, by its name as one would type it."""


def refuse_unmergeable(folder: Path) -> None:
    """Raise EmptyValue or ImpossibleValue for what is a mapping elsewhere.

    That /etc and the home agree is beyond us: Invoke merges those before tasks.py.
    """
    read = [(file, _read(path)) for file, path in _files(folder)]
    _compare(NAME.section, _having(NAME.section, read))


def _compare(key: str, said: _Said) -> None:
    if not any(isinstance(value, Mapping) for _, value in said):
        return
    for file, value in said:
        if value is None:
            raise EmptyValue(f"{key} in {file}")
        if not isinstance(value, Mapping):
            raise ImpossibleValue(f"{key} in {file}", "…", "a mapping")
    for name in {name for _, value in said for name in value}:
        _compare(f"{key}.{name}", _having(name, said))


def _having(name: str, said: _Said) -> _Said:
    return [
        (file, value[name])
        for file, value in said
        if isinstance(value, Mapping) and name in value
    ]


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files of this run, those that lose first."""
    program = "fabric" if "fabric.main" in sys.modules else "invoke"
    home = os.path.expanduser(f"~/.{program}")  # noqa: PTH111 - Path's raises
    levels = [
        ("system", f"/etc/{program}"),
        ("user", home),
        ("project", f"{folder}/invoke"),
    ]
    for level, start in levels:
        paths = (Path(f"{start}.{suffix}") for suffix in _SUFFIXES)
        if found := next(filter(Path.is_file, paths), None):
            yield configured.shown(str(found), level), found
    if runtime := _runtime():
        yield configured.shown(runtime, "runtime"), Path(runtime)


def _runtime() -> str | None:
    """What `-f` names, else INVOKE_RUNTIME_CONFIG, as Invoke takes them."""
    for word, following in pairwise([*sys.argv[1:], ""]):
        if word in {"-f", "--config"}:
            return following
        if word.startswith("--config="):
            return word.removeprefix("--config=")
    return os.environ.get("INVOKE_RUNTIME_CONFIG")


def _read(path: Path) -> object:
    # Invoke's own copy, which no type checker knows: what it reads is what counts.
    yaml: Any = import_module("invoke.util").yaml
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        return None  # of a file that it can't read, Invoke itself tells
