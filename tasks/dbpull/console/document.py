"""The result of a run as JSON (`--json`): one line on stdout, also of a failed run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from dbpull.console.results import RunRecord


@dataclass(frozen=True)
class Output:
    """What is told of a run."""

    quiet: bool = False
    """Whether errors alone are told."""
    json: bool = False
    """Whether the result is on stdout, as JSON."""


USUAL = Output()


@dataclass(frozen=True)
class Trouble:
    """The error that ended a run."""

    what: str
    remedy: str
    code: int


def document(
    record: RunRecord, facts: Mapping[str, object], error: Trouble | None
) -> str:
    """The document of a run; its schema is `flows/result.schema.json`.

    `facts` are the flow's own: anything of dataclasses, times, paths and enums.
    """
    steps = [
        {"name": step.name, "told": step.sentence, "seconds": round(step.seconds, 3)}
        for step in record.steps
    ]
    found = {
        "result": "done",
        **facts,
        "host": record.host or None,
        "steps": steps,
        "seconds": round(record.ended - record.began, 3),
        "error": None,
    }
    if error:
        found |= {"result": "failed", "error": error}
    return json.dumps(found, default=_plain)


def _plain(value: Any) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Enum):
        return value.name.lower()
    raise TypeError(type(value).__name__)
