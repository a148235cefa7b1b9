"""The history of pushes: the backup captured before each push, for `--undo`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dbpull.project import make_own_folder, own_folder

_FILE = "pushes.json"


def remember(app: str, database_id: str, backup: str) -> None:
    """Write down the backup of an app's database, before the database is reset."""
    made = datetime.now(UTC).isoformat(timespec="seconds")
    known = _known() | {database_id: {"app": app, "backup": backup, "at": made}}
    make_own_folder()
    _write(known)


def captured_before(database_id: str) -> str | None:
    """The id of the backup that was captured before the last push to a database."""
    entry = _known().get(database_id)
    return str(entry["backup"]) if isinstance(entry, dict) else None


def forget(database_id: str) -> None:
    """Remove a database's entry: no push is left to undo."""
    known = _known()
    if known.pop(database_id, None):
        _write(known)


def _write(known: dict[str, Any]) -> None:
    part = _path().with_suffix(".part")
    part.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
    part.replace(_path())


def _known() -> dict[str, Any]:
    try:
        read = json.loads(_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _path() -> Path:
    return own_folder() / _FILE
