"""The values that a rule gives to every row alike."""

from __future__ import annotations

import json

from dbpull.masks.blanked import blank
from dbpull.masks.judged import Mask
from dbpull.masks.salt import django_password
from dbpull.masks.tables import Column

UNUSABLE = "!"
"""A password with which nobody can log in: no hash begins so."""


def constant(mask: Mask) -> str | None:
    """The text of a mask's only value, as a literal has it; None where they differ."""
    rule = mask.rule
    if rule.kind == "blank":
        return blank(mask.column) or ""
    if rule.kind == "password":
        return django_password(rule.argument) if rule.argument else UNUSABLE
    if rule.kind == "value":
        return _written(rule.argument, mask.column)
    return None


def _written(value: object, column: Column) -> str:
    """A value of YAML as the text of a literal."""
    if column.category == "A" and isinstance(value, list):
        return "{" + ",".join(json.dumps(str(one)) for one in value) + "}"
    if column.base in {"json", "jsonb"} or isinstance(value, list | dict | bool):
        return json.dumps(value)
    return str(value)
