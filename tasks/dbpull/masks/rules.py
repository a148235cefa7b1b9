"""The rules of the setting `mask`: read from invoke.yaml, and checked in themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dbpull.errors.masks import MaskError
from dbpull.errors.spelling import did_you_mean
from dbpull.naming import setting

FAKES = (
    "email", "username", "token", "uuid", "url", "first_name", "last_name", "name",
    "city", "company", "job", "postcode", "street", "phone", "birthday", "ip", "digits",
    "iban", "card", "text",
)  # fmt: skip
"""The rules that make a value of another: each takes `{from: column}`."""
PLAIN = ("keep", "null", "blank", "password", *FAKES)
"""The rules that are one word."""
WITH_ARGUMENT = ("value", "json", "sql", "password")
_JSON = ("drop", "set", "fake", "empty")
Path = tuple[str, ...]
"""The keys that lead to a value in a JSON document."""


@dataclass(frozen=True)
class JsonChange:
    """A change of a JSON document at a path."""

    kind: str
    """`drop`, `set`, `fake` or `empty`."""
    path: Path
    argument: Any = field(default=None, hash=False)
    """The new value of `set`, the rule's name of `fake`."""


@dataclass(frozen=True)
class Rule:
    """A rule of `mask`."""

    kind: str
    """One of PLAIN, or of WITH_ARGUMENT."""
    argument: Any = field(default=None, hash=False)
    """The value, the SQL, the password, the changes of a JSON document."""
    source: str = ""
    """The column of the same row whose value decides on the fake; "" for its own."""

    @property
    def by_value(self) -> bool:
        """Whether equal values in two columns get equal fakes."""
        return self.kind in {*FAKES, "keep"} and not self.source


def read(rules: Mapping[str, Any]) -> dict[str, Rule]:
    """The rules of the setting `mask`, by their patterns. Raises MaskError."""
    return {pattern: _rule(pattern, given) for pattern, given in rules.items()}


def _rule(pattern: str, given: Any) -> Rule:
    if given is None:
        return Rule("null")
    if isinstance(given, str):
        _refuse_unknown(pattern, given, PLAIN)
        return Rule(given)
    if not _is_mapping(given) or len(given) != 1:
        raise _wrong(pattern, "is neither a word nor a mapping with one key")
    [(kind, argument)] = dict(given).items()
    _refuse_unknown(pattern, kind, (*WITH_ARGUMENT, *FAKES))
    if kind == "json":
        return Rule(kind, _changes(pattern, argument))
    if kind == "value":
        return Rule(kind, argument)
    if kind == "sql":
        return Rule(kind, _text(pattern, argument))
    key = "django" if kind == "password" else "from"
    if not _is_mapping(argument) or list(argument) != [key]:
        raise _wrong(pattern, f"has no {{{key}: …}} at {kind}")
    value = _text(pattern, argument[key])
    return Rule(kind, value) if kind == "password" else Rule(kind, source=value)


def _changes(pattern: str, given: Any) -> tuple[JsonChange, ...]:
    """The changes of a JSON document, in the order written."""
    if not _is_mapping(given) or not given:
        raise _wrong(pattern, "has no mapping at json")
    found: list[JsonChange] = []
    for kind, keys in given.items():
        _refuse_unknown(pattern, kind, _JSON)
        if kind in {"drop", "empty"} and isinstance(keys, list | tuple) and keys:
            found += [JsonChange(kind, _path(pattern, key)) for key in keys]
        elif kind in {"set", "fake"} and _is_mapping(keys) and keys:
            for key, value in keys.items():
                if kind == "fake":
                    _refuse_unknown(pattern, value, FAKES)
                found.append(JsonChange(kind, _path(pattern, key), value))
        else:
            wanted = "list" if kind in {"drop", "empty"} else "mapping"
            raise _wrong(pattern, f"has no {wanted} at {kind}")
    return tuple(found)


def _path(pattern: str, given: Any) -> Path:
    """The keys of a path: `company.vat_id`, or a list where a key has a dot."""
    keys = given if isinstance(given, list | tuple) else str(given).split(".")
    path = tuple(map(str, keys))
    if not path or not all(path):
        raise _wrong(pattern, "has an empty key in a path")
    return path


def _refuse_unknown(pattern: str, given: Any, known: tuple[str, ...]) -> None:
    if given not in known:
        raise MaskError(
            f"{setting('mask')} has {given!r} at {pattern}, which is no rule.",
            f"{did_you_mean(str(given), known)}There are: {', '.join(known)}.",
        )


def _text(pattern: str, given: Any) -> str:
    if not isinstance(given, str) or not given.strip():
        raise _wrong(pattern, "has no text where one is needed")
    return given


def _is_mapping(given: Any) -> bool:
    # Invoke's own mappings are no Mapping.
    return hasattr(given, "keys")


def _wrong(pattern: str, why: str) -> MaskError:
    return MaskError(
        f"{setting('mask')}: the rule of {pattern} {why}.",
        f"Write a rule, such as `{pattern}: text`, or one of the README's mappings.",
    )
