"""Target URLs in places that dbpull does not read: empty variables, other env files.

They are looked for before the embedded server is taken as the default target.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from dbpull import env_file
from dbpull.errors import PullError
from dbpull.errors.settings import TargetNotRead
from dbpull.naming import variable
from dbpull.project import PROJECT

_BESIDE = (
    ".env.local", ".env.development", ".env.development.local", ".envrc", ".flaskenv",
)  # fmt: skip
_PARENTS = 3
_BELOW = 100
"""The most folders below the project that are searched."""


def refuse() -> None:
    """Raise TargetNotRead where a target is named in a place that is not read."""
    for name in _names():
        if PROJECT.environment.get(name, os.environ.get(name)) == "":
            raise TargetNotRead(f"{PROJECT.origin(name)} is empty")
    for name in PROJECT.from_file:
        if env_file.is_url(os.environ.get(name, "")):
            raise TargetNotRead(f".env has {name}, which is not read")
    for path in _others():
        if named := _named_in(path):
            raise TargetNotRead(f"{_shown(path)} has {named}, and is not read")


def _names() -> tuple[str, str]:
    return "DATABASE_URL", variable("target")


def _others() -> Iterator[Path]:
    folder, cwd = PROJECT.folder.resolve(), Path.cwd()
    yield from (folder / name for name in _BESIDE)
    for between in (cwd, *cwd.parents):
        if folder not in between.parents:
            break
        yield between / ".env"
    for parent in islice(folder.parents, _PARENTS):
        if parent != Path(os.path.expanduser("~")):  # noqa: PTH111 - Path's raises
            yield parent / ".env"
    yield from islice(sorted(folder.glob("*/.env")), _BELOW)


def _named_in(path: Path) -> str | None:
    """The variable that names a target in an env file that dbpull does not read."""
    try:
        read = env_file.read(path)
    except PullError:  # raised for a line about a target that is not understood
        return "what may be a target"
    except OSError:  # a folder that we may not look into
        return None
    for name, value in read.items():
        if name.upper() in _names() and value:
            return name
    return None


def _shown(path: Path) -> str:
    return os.path.relpath(path, PROJECT.folder.resolve())
