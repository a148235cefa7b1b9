"""The target from a Django project's DATABASES, where no setting names one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import dbpull
from dbpull.errors.settings import SettingsError
from dbpull.project import PROJECT
from dbpull.settings import Settings
from dbpull.shell.local import Local

ALIAS = "default"
_PROGRAM = Path(dbpull.__file__).parent / "django" / "target.py"


def with_target(settings: Settings, shell: Local) -> Settings:
    """The settings, with the target from Django's DATABASES where they have none.

    Another process reads Django's settings. Without a PostgreSQL in DATABASES, the
    settings stay as they are. Raises SettingsError.
    """
    if settings.target or not (PROJECT.folder / "manage.py").is_file():
        return settings
    read = _read_django(shell)
    if "url" not in read:
        return settings
    origin = f'DATABASES["{ALIAS}"] of {read["settings"]}'
    return replace(
        settings, target=read["url"], origins={**settings.origins, "target": origin}
    )


def _read_django(shell: Local) -> dict[str, str]:
    """Django's settings module, and the URL of a PostgreSQL database there."""
    argv = [_python(), str(_PROGRAM), str(PROJECT.folder), ALIAS]
    result = shell.run(argv)
    lines = result.out.strip().splitlines()
    if result.code == 0 and lines:
        try:
            return dict(json.loads(lines[-1]))
        except ValueError:
            pass
    cause = _cause(result.err)
    raise SettingsError(
        f"manage.py is here, but Django's DATABASES can't be read: {cause}.",
        "Run this where the project runs, or pass --target, or set DATABASE_URL.",
    )


def _python() -> str:
    """The Python that reads Django's settings: ours if Django is installed beside us,
    else that of the project's virtual environment."""
    if find_spec("django"):
        return sys.executable
    return next((str(path) for path in _candidates() if path.exists()), sys.executable)


def _candidates() -> Iterator[Path]:
    active = os.environ.get("VIRTUAL_ENV")
    folders = [Path(active)] if active else []
    folders += [PROJECT.folder / name for name in (".venv", "venv", "env")]
    for folder in folders:
        yield folder / "bin" / "python"
        yield folder / "Scripts" / "python.exe"


def _cause(err: str) -> str:
    """The last line of a traceback that is not empty."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    return (lines[-1] if lines else "manage.py ended without a message").rstrip(".")
