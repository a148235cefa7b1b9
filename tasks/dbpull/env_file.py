"""A file of variables, `.env`: what it sets, and lines of it that can't be meant so."""

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
    """Its variables; none where it isn't there.

    Raises UnreadableFile where it can't be read, and where a line that is about us
    says nothing as it is written: `DATABASE_URL: postgres://…`.
    """
    if path.is_dir() or not (path.exists() or path.is_symlink()):
        return {}  # some call their virtual environment so
    try:
        text = _text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(path.name, cause(error)) from None
    if "\0" in text:
        raise UnreadableFile(path.name, "it holds zero bytes")
    for line in _misunderstood(text):
        told = f"line {line} is not NAME=value, with both quotes or none"
        raise UnreadableFile(path.name, told)
    return _values(text)


def cause(error: Exception) -> str:
    """Why a file can't be read."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, FileNotFoundError):
        return "it is a link to a file that is not there"
    told = getattr(error, "strerror", None) or str(error)
    return str(told).lower()


def is_url(value: str) -> bool:
    """Whether a value is plainly meant to be a PostgreSQL database's URL."""
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


def _misunderstood(text: str) -> Iterator[int]:
    """The lines that are about us and say nothing, or something else, by number."""
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
    """Whether a line that can be read is not what was meant: `DATABASE_URL:…`."""
    key, value = binding.key or "", binding.value
    if not _PLAIN.fullmatch(key):
        return bool(re.search(_ours(), key) or _URL.search(key))
    if value is None:  # a name alone takes away what a line before it said
        return bool(re.fullmatch(_ours(), key))
    # A quotation mark that is missing takes the next lines in.
    swallowed = rf"(?m)^\s*(?:export\s+)?{_ours()}\s*="
    return bool("\n" in value and re.search(swallowed, value))


def _ours() -> str:
    return rf"(?:DATABASE_URL|{NAME.prefix}\w+|HEROKU_(?:API_KEY|APP)\b)"
