"""The converters of settings: text into numbers, durations, lists, switches."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_APP = re.compile(r"[\w-]+")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class InvalidValue(ValueError):
    """The value is of the wrong kind; the error's text names the right kind."""


class Empty(InvalidValue):
    """The value is empty."""


def text(value: object) -> str:
    """Any text but an empty one."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise InvalidValue("a text")
    if not str(value).strip():
        raise Empty("a text")
    return str(value).strip()


def count(value: object) -> int:
    """A whole number from 1 to 10,000."""
    return _whole(value, 1, 10_000, "a whole number from 1 to 10,000")


def connections(value: object) -> int:
    """A whole number from 1 to 16."""
    return _whole(value, 1, 16, "a whole number from 1 to 16")


def port(value: object) -> int:
    """A port that an ordinary user may take."""
    return _whole(value, 1024, 65535, "a port from 1024 to 65535")


def jobs(value: object) -> int:
    """A whole number from 1 to 64; the machine's cores for None."""
    if value is None:
        return _cores()
    return _whole(value, 1, 64, "a whole number from 1 to 64")


def _cores() -> int:
    """The cores that this process may use: in a container perhaps fewer than exist."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def duration(value: object) -> float:
    """Seconds, from `90s`, `30m`, `24h`, `7d`, `1w`, or 0."""
    given = str(value).strip().lower()
    match = re.fullmatch(r"(\d{1,7}(?:\.\d{1,3})?)\s*([smhdw]?)", given)
    if not match or (not match[2] and float(match[1])):
        raise InvalidValue("a duration such as 30m, 24h or 7d")
    return float(match[1]) * _SECONDS.get(match[2], 0)


def switch(value: object) -> bool:
    """True or false, from the usual words: yes and no, on and off, 1 and 0."""
    word = str(value).strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off"}:
        return False
    raise InvalidValue("true or false")


def text_list(value: object) -> tuple[str, ...]:
    """Texts, from a list or from a text with commas."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if not isinstance(value, Iterable) or isinstance(value, Mapping):
        raise InvalidValue("a list of texts")
    return tuple(text(part) for part in value)


def names(value: object) -> dict[str, str]:
    """A mapping of names, from a mapping or from `a=b,c=d`."""
    if isinstance(value, str):
        pairs = [part.partition("=") for part in text_list(value)]
        if not all(name and equals and meant for name, equals, meant in pairs):
            raise InvalidValue("names such as staging=myapp-staging-eu")
        return {name.strip(): meant.strip() for name, _, meant in pairs}
    return {text(name): text(meant) for name, meant in _items(value)}


def hosts(value: object) -> dict[str, dict[str, str]]:
    """For each host, a mapping of its `target` and `path`."""
    read = {
        text(host): {text(key): meant for key, meant in _items(keys)}
        for host, keys in _items(value)
    }
    for keys in read.values():
        if unknown := sorted(set(keys) - {"target", "path"}):
            raise InvalidValue(
                "a mapping of hosts to their `target` and `path`"
                f" ({unknown[0][:40]} is neither)"
            )
    return {
        host: {key: text(meant) for key, meant in keys.items()}
        for host, keys in read.items()
    }


def sources(value: object) -> dict[str, dict[str, Any]]:
    """For each alias, a mapping of SOURCE; a text is the mapping's `source`."""
    return {
        text(alias): _source(meant if hasattr(meant, "keys") else {"source": meant})
        for alias, meant in _items(value)
    }


def _source(value: object) -> dict[str, Any]:
    keys = {text(key): meant for key, meant in _items(value) if meant is not None}
    if unknown := sorted(set(keys) - set(SOURCE)):
        known = ", ".join(SOURCE)
        raise InvalidValue(
            f"a mapping of aliases to a source, or to its {known}"
            f" ({unknown[0][:40]} is none of these)"
        )
    if "source" not in keys:
        raise InvalidValue("a mapping of aliases, each with a `source`")
    return {key: SOURCE[key](meant) for key, meant in keys.items()}


def masks(value: object) -> dict[str, Any]:
    """For each pattern of columns, its rule, in plain mappings and lists."""
    return {text(pattern): _plain(rule) for pattern, rule in _items(value)}


def conditions(value: object) -> dict[str, str]:
    """For each table, an SQL condition on its rows; `true` for all rows."""
    return {text(table): _condition(given) for table, given in _items(value)}


def _condition(value: object) -> str:
    if value is True:
        return "true"
    if not isinstance(value, str):
        raise InvalidValue("a mapping of tables to an SQL condition, or to true")
    return text(value)


def commands(value: object) -> tuple[str, ...]:
    """Command lines and files of SQL, from a list or from a text with one of them."""
    return (text(value),) if isinstance(value, str) else text_list(value)


def _plain(value: Any) -> Any:
    # In Invoke's own mappings a key such as `items` hides the method of that name.
    if hasattr(value, "keys"):
        return {str(key): _plain(value[key]) for key in value}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _items(value: object) -> list[tuple[object, object]]:
    # Invoke's own mappings are no Mapping, and dict() takes a list of pairs, too.
    if not hasattr(value, "keys"):
        raise InvalidValue("a mapping")
    return list(dict(value).items())  # type: ignore[call-overload]


SOURCE: Mapping[str, Callable[[object], Any]] = {
    "source": text,
    "target": text,
    "skip_data": text_list,
    "keep_rows": conditions,
    "before_swap": commands,
    "after_swap": commands,
    "database": text,
    "password": text,
    "tunnel": text,
    "max_age": duration,
    "live": switch,
}
"""The settings of one source in `sources`, with their converters."""


def _whole(value: object, least: int, most: int, wanted: str) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\s*\d{1,9}\s*", str(value)):
        raise InvalidValue(wanted)
    if not least <= int(str(value)) <= most:
        raise InvalidValue(wanted)
    return int(str(value))


def aliases(
    apps: Mapping[str, str],
    sources: Mapping[str, Mapping[str, Any]],
    section: Mapping[str, Any],
) -> tuple[tuple[str, str], ...]:
    """Each alias with its app, also those in the `section` of the project's file."""
    written = _pairs(section.get("apps")) | _pairs(section.get("sources"))
    of_sources = {(alias, str(one["source"])) for alias, one in sources.items()}
    pairs = {
        (alias, app.removeprefix("heroku:"))
        for alias, app in written | of_sources | set(apps.items())
    }
    # Sources of other kinds are no apps, and may hold a password.
    return tuple(sorted(pair for pair in pairs if _APP.fullmatch(pair[1])))


def _pairs(own: object) -> set[tuple[str, str]]:
    """The aliases of a mapping as a file has it, each with its app or source."""
    if not isinstance(own, Mapping):
        return set()
    return {
        (str(alias), str(one.get("source") if isinstance(one, Mapping) else one))
        for alias, one in own.items()
    }
