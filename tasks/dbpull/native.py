"""Text for and from the operating system, in UTF-8 whatever Python's own encoding.

A Python that knows ASCII only (LC_ALL=C without its UTF-8 mode) reads other bytes of
arguments, variables and file names as lone surrogates, and writes no other characters.
"""

from __future__ import annotations

import os


def native(text: str) -> bytes:
    """The bytes of an argument, a variable or a path."""
    try:
        return os.fsencode(text)
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")


def legible(text: str) -> str:
    """The true text of a string that was read with lone surrogates."""
    if any("\udc80" <= character <= "\udcff" for character in text):
        return native(text).decode("utf-8", "surrogateescape")
    return text


def path(text: str) -> str:
    """The path as a string with which Python can open the file."""
    return os.fsdecode(native(text))
