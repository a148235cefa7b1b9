"""The SQL of changes in JSON documents, at paths of keys.

A document need not have the shape that a path expects. The usual shape, objects in
objects, is changed by one expression; any other by a function that walks through arrays
to every object at the path, so that no value escapes its rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby

from dbpull.masks.fakes import SCHEMA
from dbpull.masks.rules import JsonChange, Path
from dbpull.masks.vocabulary import literal

Fake = Callable[[str, str], str]
"""Makes SQL for a fake, of a rule's name and the SQL of a text."""
# A scalar gets the fake of its text, an array that of each of its values; an object
# has no place there. In one expression with a sub-select all would be slow.
_LEAF = """
CREATE FUNCTION {name}(v jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE AS {quote}
DECLARE t text := v #>> '{{}}';
BEGIN
  IF jsonb_typeof(v) = 'null' THEN RETURN v; END IF;
  IF jsonb_typeof(v) = 'object' THEN RETURN 'null'; END IF;
  IF jsonb_typeof(v) = 'array' THEN
    RETURN (SELECT coalesce(jsonb_agg({name}(e)), '[]') FROM jsonb_array_elements(v) e);
  END IF;
  RETURN to_jsonb({fake});
END {quote};"""
_WALK = """
CREATE FUNCTION {name}(v jsonb, keys text[]) RETURNS jsonb LANGUAGE plpgsql STABLE AS
{quote} BEGIN
  IF jsonb_typeof(v) = 'array' THEN
    RETURN (SELECT coalesce(jsonb_agg({name}(e, keys)), '[]')
      FROM jsonb_array_elements(v) e);
  ELSIF jsonb_typeof(v) = 'object' AND v ? keys[1] THEN
    IF cardinality(keys) = 1 THEN
      RETURN {changed};
    END IF;
    RETURN jsonb_set(v, keys[1:1], {name}(v -> keys[1], keys[2:]));
  END IF;
  RETURN v;
END {quote};"""
_EMPTY = """CASE jsonb_typeof({0}) WHEN 'string' THEN '""' WHEN 'number' THEN '0'
 WHEN 'boolean' THEN 'false' WHEN 'array' THEN '[]' WHEN 'object' THEN '{{}}'
 ELSE 'null' END::jsonb"""
QUOTE = "$dbpull_mask$"


@dataclass
class Documents:
    """The functions that documents need, and the statements that change them."""

    functions: list[str] = field(default_factory=list)
    """Statements that create the functions."""
    _last: str = field(default="", init=False)
    """The function that makes the last change's fake."""

    def statements(
        self, changes: Iterable[JsonChange], document: str, fake: Fake
    ) -> list[str]:
        """Statements that change a variable of type jsonb.

        Keys of the document itself that are dropped, or get fakes, one after the other
        are changed at once: each change copies the document.
        """
        found = []
        for kind, group in groupby(changes, _top_level):
            ours = list(group)
            steps = [ours] if kind == "drop" else [[change] for change in ours]
            made = [self._statement(step, document, fake) for step in steps]
            if kind == "fake" and made[1:]:
                made = [_together(ours, document, fake, made)]
            found += made
        return found

    def _statement(self, step: list[JsonChange], document: str, fake: Fake) -> str:
        path = step[0].path
        walked = document
        for change in step:
            name = self._walker(change, fake)
            walked = f"{name}({walked}, {_keys(change.path)})"
        parent = f"{document} #> {_keys(path[:-1])}" if path[1:] else document
        absent = f"jsonb_typeof({document}) = 'object' AND NOT {document} ? "
        unchanged = f"WHEN {absent}{literal(path[0])} THEN {document} "
        return (
            f"{document} := CASE WHEN jsonb_typeof({parent}) = 'object'"
            f" THEN {self._fast(step, document, fake)}"
            f" {unchanged if path[1:] else ''}ELSE {walked} END;"
        )

    def _fast(self, step: list[JsonChange], document: str, fake: Fake) -> str:
        change = step[0]
        keys = _keys(change.path)
        if change.kind == "drop" and not change.path[1:]:
            return f"{document} - {_keys(tuple(one.path[0] for one in step))}"
        if change.kind == "drop":
            return f"{document} #- {keys}"
        value, text = f"({document} #> {keys})", f"({document} #>> {keys})"
        if not change.path[1:]:
            key = literal(change.path[0])
            value, text = f"({document} -> {key})", f"({document} ->> {key})"
        cases = ""
        if change.kind == "fake":
            new = f"to_jsonb({fake(change.argument, text)})"
            changed = f"jsonb_set({document}, {keys}, {new}, false)"
            cases = f" WHEN jsonb_typeof({value}) = 'string' THEN {changed}"
        changed = f"jsonb_set({document}, {keys}, {self._leaf(change, value)}, false)"
        # jsonb_set is strict: without a value the whole document would be NULL.
        return f"CASE WHEN {value} IS NULL THEN {document}{cases} ELSE {changed} END"

    def _leaf(self, change: JsonChange, value: str) -> str:
        """SQL for the new value at a path; only after `_walker`, which names it."""
        if change.kind == "set":
            return f"{literal(json.dumps(change.argument))}::jsonb"
        if change.kind == "empty":
            return _EMPTY.format(value)
        return f"{self._last}({value})"

    def _walker(self, change: JsonChange, fake: Fake) -> str:
        """Create the functions for a change; the name of the one that walks."""
        number = len(self.functions) + 1
        if change.kind == "fake":
            self._last = f"{SCHEMA}.leaf{number}"
            made = fake(change.argument, "t")
            leaf = _LEAF.format(name=self._last, fake=made, quote=QUOTE)
            self.functions.append(leaf)
        changed = "v - keys[1]"
        if change.kind != "drop":
            leaf = self._leaf(change, "(v -> keys[1])")
            changed = f"jsonb_set(v, keys, {leaf})"
        name = f"{SCHEMA}.walk{number}"
        self.functions.append(_WALK.format(name=name, changed=changed, quote=QUOTE))
        return name


def _top_level(change: JsonChange) -> str:
    """The kind of a change of a key of the document itself; "" for any other."""
    return change.kind if len(change.path) == 1 else ""


def _together(
    changes: Iterable[JsonChange], document: str, fake: Fake, singly: Iterable[str]
) -> str:
    """The statement that makes fakes of texts at once, and of anything else singly."""
    conditions, fakes = [f"jsonb_typeof({document}) = 'object'"], []
    for change in changes:
        key = literal(change.path[0])
        conditions.append(f"jsonb_typeof({document} -> {key}) = 'string'")
        fakes.append(f"{key}, {fake(change.argument, f'({document} ->> {key})')}")
    return (
        f"IF {' AND '.join(conditions)} THEN"
        f" {document} := {document} || jsonb_build_object({', '.join(fakes)});"
        f" ELSE {' '.join(singly)} END IF;"
    )


def _keys(path: Path) -> str:
    return f"ARRAY[{', '.join(map(literal, path))}]::text[]"
