"""The invariants of rules: SQL conditions that every masked value `v` fulfils."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from dbpull.masks.constants import constant
from dbpull.masks.fakes import CARD, IBAN
from dbpull.masks.judged import Mask
from dbpull.masks.rules import FAKES, JsonChange, Path
from dbpull.masks.vocabulary import Vocabulary, literal

_MADE = {
    "email": r"^u[0-9a-f]+@example\.com$",
    "username": r"^user-[0-9a-f]+$",
    "token": r"^[0-9a-f]+$",
    "uuid": r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    "url": r"^https://example\.com/[0-9a-f]+$",
    "phone": r"^\+1555[0-9]*$",
    "birthday": r"^[0-9]{4,}-[0-9]{2}-[0-9]{2}",
    "digits": r"^[0-9]+$",
    "ip": r"^(198\.51\.100\.|2001:db8::)",
    "text": r"^L(o|$)(r|$)(e|$)(m|$)( |$)",
}
_SHORTEST = {"uuid": 36, "phone": 5, "ip": 11}
"""The fewest characters of a column in which the pattern shows whole."""
_ONLY = {"iban": IBAN, "card": CARD}
# Two parts may be parted at any place: words have blanks, too.
_TWO = "EXISTS (SELECT FROM generate_series(1, length({v})) n WHERE {first} AND {rest})"
_STRING = "{v} = 'null' OR jsonb_typeof({v}) = 'string' AND ({text} = '' OR {made})"
_NOTHING = """'""', '0', 'false', '[]', '{}', 'null'"""


def invariant(mask: Mask, words: Vocabulary) -> str:
    """The condition for a mask's column `v`; "" where none is known.

    Where it is NULL it counts as fulfilled.
    """
    if mask.rule.kind == "null":
        return "v IS NULL"
    made = _made(mask, words)
    return f"v IS NULL OR {made}" if made else ""


def _made(mask: Mask, words: Vocabulary) -> str:
    rule, column = mask.rule, mask.column
    value = constant(mask)
    if value is not None:
        same = f"v::text = ({literal(value)}::{column.type})::text"
        return f"v::text = '' OR {same}" if column.is_text else same
    if rule.kind == "json":
        return " AND ".join(_of_document(rule.argument, words))
    if rule.kind not in FAKES:
        return ""
    if rule.kind == "birthday":
        return _a_day("v::timestamp")
    made = _fake(rule.kind, "rtrim(v::text)", mask.limit, words)
    if column.category != "A" or not made:
        return f"v::text = '' OR {made}" if made else ""
    made = _fake(rule.kind, "rtrim(e::text)", mask.limit, words)
    return f"NOT EXISTS (SELECT FROM unnest(v) e WHERE NOT (e::text = '' OR {made}))"


def _a_day(value: str) -> str:
    """A birthday: a whole day, and none that only leap years have."""
    whole = f"date_trunc('day', {value}) = {value}"
    return f"{whole} AND extract(doy FROM {value}) <= 365"


def _fake(kind: str, value: str, limit: int | None, words: Vocabulary) -> str:
    """The condition that a text is a rule's fake; blanks at its end are cut off."""
    if kind in _MADE:
        short = limit is not None and limit < _SHORTEST.get(kind, 1)
        return "" if short else f"{value} ~ {literal(_MADE[kind])}"
    if kind in _ONLY:
        return f"{value} = {literal(_ONLY[kind][:limit].rstrip())}"
    # A limit may have cut a text, or the blank at its end.
    cut = f"length({value}) >= {limit - 1} OR " if limit is not None else ""
    if kind == "name":
        rest = _one_of(words.words("last_name"), f"substr({value}, n + 2)", None)
        first = _one_of(words.words("first_name"), f"left({value}, n)", limit)
        return _TWO.format(v=value, first=first, rest=f"({cut}{rest})")
    if kind == "street":
        rest = f"substr({value}, n + 1) ~ '^ [0-9]{{1,3}}$'"
        first = _one_of(words.words("street"), f"left({value}, n)", limit)
        return _TWO.format(v=value, first=first, rest=f"({cut}{rest})")
    return _one_of(words.words(kind), value, limit)


def _one_of(words: Sequence[str], value: str, limit: int | None) -> str:
    cut = sorted({word[:limit].rstrip() for word in words})
    return f"{literal(json.dumps(cut, ensure_ascii=False))}::jsonb ? {value}"


def _of_document(changes: Sequence[JsonChange], words: Vocabulary) -> Iterator[str]:
    """The conditions for a document, of the changes that no later one touches."""
    for number, change in enumerate(changes, 1):
        if not any(_overlap(change.path, one.path) for one in changes[number:]):
            found = _of_value(change, words)
            every = ' ? (@.type() != "array")' if change.kind == "fake" else ""
            where = _path(change.path) + (".**" + every if every else "")
            at = f"jsonb_path_query(v::jsonb, {literal(where)}) x"
            yield f"NOT EXISTS (SELECT FROM {at} WHERE NOT ({found}))"


def _of_value(change: JsonChange, words: Vocabulary) -> str:
    """The condition for a value `x` at a change's path."""
    if change.kind == "drop":
        return "false"
    if change.kind == "set":
        return f"x = {literal(json.dumps(change.argument))}::jsonb"
    if change.kind == "empty":
        return f"x IN ({_NOTHING})"
    made = _fake(change.argument, "(x #>> '{}')", None, words)
    return _STRING.format(v="x", text="(x #>> '{}')", made=made)


def _overlap(one: Path, other: Path) -> bool:
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def _path(path: Path) -> str:
    """A path of keys in SQL/JSON: in lax mode it leads through arrays, too."""
    return "lax $" + "".join(f".{json.dumps(k, ensure_ascii=False)}" for k in path)
