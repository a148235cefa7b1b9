"""Names quoted as in SQL, for the statements in messages."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A name between double quotes."""
    return '"' + name.replace('"', '""') + '"'
