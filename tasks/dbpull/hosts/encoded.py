"""Text of several lines as one line, for host.sh."""

from __future__ import annotations

_CODES = {"%": "%p", "\n": "%n"}


def encoded(text: str) -> str:
    """A text as one line; `given` in host.sh turns it back, with a line's end."""
    return "".join(_CODES.get(letter, letter) for letter in text.removesuffix("\n"))
