"""The nearest known name for an unknown one: `did you mean`."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

_LEAST = 3
"""The fewest letters that count as the beginning of a name."""


def nearest(name: str, known: Collection[str]) -> str | None:
    """The known name most like `name`, or beginning with `name`, in any case."""
    lowered = {one.lower(): one for one in sorted(known)}
    asked = name.strip().lower()
    found = get_close_matches(asked, lowered, n=1)
    if not found and len(asked) >= _LEAST:
        found = [one for one in lowered if one.startswith(asked)]
    return lowered[found[0]] if found else None


def did_you_mean(name: str, known: Collection[str]) -> str:
    """`Did you mean staging? `, before another sentence; "" without a near name."""
    near = nearest(name, known)
    return f"Did you mean {near}? " if near and near != name else ""
