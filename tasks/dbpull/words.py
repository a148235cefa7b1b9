"""Sizes, spans and ages in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def size(count: int | None) -> str:
    """A size in words, from bytes: `158 MB`."""
    if count is None:
        return "?"
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000:
            digits = 0 if amount >= 10 or unit == "B" else 1
            return f"{amount:.{digits}f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def portion(done: int, total: int | None) -> str:
    """A part of a size in words, in the unit of the whole: `2.3/7.7 MB`."""
    if not total:
        return size(done)
    whole, _, unit = size(total).partition(" ")
    digits = len(whole.partition(".")[2])
    return f"{done / _UNITS[unit]:.{digits}f}/{whole} {unit}"


def span(seconds: float) -> str:
    """A span of time in words: `0.4 s`, `38 s`, `12 min`, `1 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def age(moment: datetime | None) -> str:
    """An age in words, in one unit: `5 minutes old`, `3 hours old`."""
    if moment is None:
        return "of unknown age"
    passed = _passed(moment)
    return f"{passed} old" if passed else "just made"


def ago(moment: datetime) -> str:
    """The time since a moment, in words: `5 minutes ago`."""
    passed = _passed(moment)
    return f"{passed} ago" if passed else "just now"


def _passed(moment: datetime) -> str:
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' * (count > 1)}"
    return ""


def counted(count: int, noun: str) -> str:
    """A count with its noun: `1 table`, `12 tables`."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def listed(names: list[str] | tuple[str, ...], most: int = 5) -> str:
    """Names with commas: the first `most`, and the number of others."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def source_label(name: str) -> str:
    """A source's name without the digests that tell its dumps from another's."""
    return re.sub(r"--[0-9a-f]{6}(-[0-9a-f]{6})?$", "", name)


def source_as_written(name: str) -> str:
    """A source's name without the digest of what its text led to."""
    return re.sub(r"(--[0-9a-f]{6})-[0-9a-f]{6}$", r"\1", name)
