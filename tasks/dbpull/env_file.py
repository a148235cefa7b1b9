"""The reader of `.env`: its variables, and the lines that are surely a mistake."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from dbpull.errors.settings import UnreadableFile
from dbpull.naming import NAME

_URL = re.compile(
    r"(?:jdbc:)?(?:postgres|postgis|pg?sql|timescale)\w*(?:\+\w+)?://", re.IGNORECASE
)
_PLAIN = re.compile(r"[A-Za-z_][\w.-]*")


def read(path: Path) -> dict[str, str]:
    """The file's variables; none where the file does not exist.

    Raises UnreadableFile where the file can't be read, and for a line with one of our
    variables that is no assignment: `DATABASE_URL: postgres://…`.
    """
    if path.is_dir() or not (path.exists() or path.is_symlink()):
        return {}  # in some projects .env is the virtual environment
    try:
        text = _text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(path.name, cause(error)) from None
    if "\0" in text:
        raise UnreadableFile(path.name, "it holds zero bytes")
    for line in _mistaken_lines(text):
        why = f"line {line} is not NAME=value, with both quotes or none"
        raise UnreadableFile(path.name, why)
    return _values(text)


def cause(error: Exception) -> str:
    """The reason why a file can't be read."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, FileNotFoundError):
        return "it is a link to a file that is not there"
    reason = getattr(error, "strerror", None) or str(error)
    return str(reason).lower()


def is_url(value: str) -> bool:
    """Whether a value looks like the URL of a PostgreSQL database."""
    return bool(_URL.match(value.strip(" \t\"'")))


def _text(path: Path) -> str:
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")  # PowerShell's `>` writes it
    return content.decode("utf-8-sig")


def _values(text: str) -> dict[str, str]:
    from dotenv import dotenv_values

    read: Mapping[str, str | None] = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in read.items() if value is not None}


def _mistaken_lines(text: str) -> Iterator[int]:
    """The numbers of lines that name a variable of dbpull without setting it."""
    from dotenv.parser import parse_stream

    for binding in parse_stream(StringIO(text)):
        written = binding.original.string
        if _is_comment(written):
            continue
        if binding.error:
            about_us = bool(re.search(_ours(), written) or _URL.search(written))
        else:
            about_us = _is_strange(binding)
        if about_us:
            blank = len(written) - len(written.lstrip())
            yield binding.original.line + written[:blank].count("\n")


def _is_comment(written: str) -> bool:
    return written.lstrip().startswith("#")


def _is_strange(binding: Any) -> bool:
    """Whether a valid line is surely a mistake: `DATABASE_URL:…`."""
    key, value = binding.key or "", binding.value
    if not _PLAIN.fullmatch(key):
        return bool(re.search(_ours(), key) or _URL.search(key))
    if value is None:  # a name alone removes the variable of an earlier line
        return bool(re.fullmatch(_ours(), key))
    # With a missing quotation mark, the value goes on into the next lines.
    swallowed = rf"(?m)^\s*(?:export\s+)?{_ours()}\s*="
    return bool("\n" in value and re.search(swallowed, value))


def _ours() -> str:
    return rf"(?:DATABASE_URL|{NAME.prefix}\w+|HEROKU_(?:API_KEY|APP)\b)"
