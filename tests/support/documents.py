"""The documents that `--json` prints, as the schema allows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from dbpull.flows import document

SCHEMA = json.loads(
    Path(document.__file__).with_name("result.schema.json").read_text("utf-8")
)


def documents(out: str) -> list[dict[str, Any]]:
    """The document in each line; fails where the schema does not allow one."""
    found = [json.loads(line) for line in out.splitlines()]
    for each in found:
        Draft202012Validator(SCHEMA).validate(each)
        assert set(each) <= set(SCHEMA["properties"])
    return found
