"""The patterns that name tables: `table` in any schema, or `schema.table`."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

Table = tuple[str, str]
"""A table's schema and name."""


def fits(table: Table, patterns: Sequence[str]) -> bool:
    """Whether a pattern names the table; * and ? stand for other characters."""
    schema, name = table
    return any(
        fnmatchcase(f"{schema}.{name}" if "." in pattern else name, pattern)
        for pattern in patterns
    )
