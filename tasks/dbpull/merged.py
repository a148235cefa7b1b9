"""The check that Invoke can merge our sections of its configuration files.

Where a key is a mapping in one file and none in another (an empty `db:`), Invoke ends
with a traceback. This module raises an error before Invoke merges the files.
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
from dbpull.errors.settings import EmptyValue, ImpossibleValue, SettingsError
from dbpull.naming import NAME

_SUFFIXES = ("yaml", "yml", "json")
_Values = list[tuple[str, Any]]
"""A key's value in each file with the key; the file's path as the user types it."""


def refuse_unmergeable(folder: Path) -> None:
    """Raise EmptyValue or ImpossibleValue for a key that is a mapping in another file.

    A disagreement between files in /etc and in the home folder can't be caught: Invoke
    merges these files before it loads tasks.py.
    """
    read = [(file, _read(path)) for file, path in _files(folder)]
    ours = _having(NAME.section, read)
    _compare(NAME.section, ours)
    _refuse_alike(NAME.section, ours)


def _compare(key: str, values: _Values) -> None:
    if not any(isinstance(value, Mapping) for _, value in values):
        return
    for file, value in values:
        if value is None:
            raise EmptyValue(f"{key} in {file}")
        if not isinstance(value, Mapping):
            raise ImpossibleValue(f"{key} in {file}", "…", "a mapping")
    for name in {name for _, value in values for name in value}:
        _compare(f"{key}.{name}", _having(name, values))


def _refuse_alike(key: str, values: _Values) -> None:
    """Raise SettingsError for keys for which Invoke has one variable.

    Invoke makes a variable's name of each key, and ends with a traceback where two are
    alike (Environment._crawl): `mask_locale`, and `locale` in `mask`.
    """
    names: dict[str, str] = {}
    for file, section in values:
        for path in _paths(section) if isinstance(section, Mapping) else ():
            if not all(isinstance(part, str) for part in path):
                raise ImpossibleValue(f"a key of {key} in {file}", path[-1], "a text")
            name, told = "_".join(path).upper(), ".".join((key, *path))
            if names.setdefault(name, told) != told:
                raise SettingsError(
                    f"{file} has {names[name]} and {told}, which Invoke takes for one.",
                    "Rename one of them: a column may be named with its table, as in"
                    f" `{key}.mask.users.locale`.",
                )


def _paths(value: object, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if not isinstance(value, Mapping):
        yield above
        return
    for name, below in value.items():
        yield from _paths(below, (*above, name))


def _having(name: str, values: _Values) -> _Values:
    return [
        (file, value[name])
        for file, value in values
        if isinstance(value, Mapping) and name in value
    ]


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """The configuration files of this run, with the lowest precedence first."""
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
    """The file of `-f`, else of INVOKE_RUNTIME_CONFIG, as in Invoke."""
    for word, following in pairwise([*sys.argv[1:], ""]):
        if word in {"-f", "--config"}:
            return following
        if word.startswith("--config="):
            return word.removeprefix("--config=")
    return os.environ.get("INVOKE_RUNTIME_CONFIG")


def _read(path: Path) -> object:
    # Invoke's own copy of yaml, so that both read alike; the copy has no types.
    yaml: Any = import_module("invoke.util").yaml
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, OSError, UnicodeDecodeError):
        return None  # Invoke itself reports a file that it can't read
