"""Our section of Invoke's configuration, and the file of each setting."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dbpull.naming import NAME

_LEVELS = ("system", "user", "project", "runtime")
"""Invoke's kinds of files; a later kind wins (Config.merge)."""


def section(config: Any) -> object:
    """Our section of the configuration that Invoke has read."""
    return config.get(NAME.section)


def files(config: Any) -> dict[str, str]:
    """The file of each key in our section, as the user would type its path.

    The key "" is the section itself, where the section is no mapping.

    Invoke has no public attribute for each file's content. Without the private
    attributes, the result is empty, and messages name invoke.yaml.
    """
    found = _keys(getattr(config, "_collection", None), "tasks.py (ns.configure)")
    for level in _LEVELS:
        path = getattr(config, f"_{level}_path", None)
        read = getattr(config, f"_{level}", None)
        found |= _keys(read, shown(str(path), level))
    return found


def _keys(read: object, file: str) -> dict[str, str]:
    ours = read.get(NAME.section) if isinstance(read, Mapping) else None
    if isinstance(ours, Mapping):
        return {str(key): file for key in ours}
    return {} if ours is None else {"": file}


def shown(path: str, level: str) -> str:
    """A file's path as the user would type it."""
    if level == "project":
        return Path(path).name
    home = os.path.expanduser("~")  # noqa: PTH111 - Path.home() raises
    inside = home != "/" and path.startswith(f"{home}/")
    return f"~/{path[len(home) + 1 :]}" if inside else path
