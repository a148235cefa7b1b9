"""Names as they are written in SQL, for commands that messages tell."""

from __future__ import annotations


def quoted(name: str) -> str:
    """A name between double quotes."""
    return '"' + name.replace('"', '""') + '"'
