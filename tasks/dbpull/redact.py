"""The redaction of secrets in text from others, before the text is shown.

Heroku's answers hold `postgres://user:password@…` and presigned URLs, and its error
messages and logs may quote them; so may what a program prints.
"""

from __future__ import annotations

import re

_DATABASE_URL = re.compile(r"\bpostgres(?:ql)?://\S+", re.IGNORECASE)
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_PASSWORD = re.compile(
    r"\b(password|passwd|pgpassword|secret|token|api[_-]?key)(\s*[=:]\s*)"
    r"('[^']*'|\"[^\"]*\"|\S+)",
    re.IGNORECASE,
)
_OPTION = re.compile(
    r"(--(?:[\w-]*(?:password|passwd|secret|token|key))\s+|(?<!\S)(?:-u|--user)[\s=]*"
    r"[^\s:]+:)('[^']*'|\"[^\"]*\"|\S+)",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\b(Bearer|Basic)\s+\S+|\b(?:HRKU-|rnd_)[\w-]+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_LAST = 3  # lines
_LONG = 120  # characters; links to documentation are shorter, signed URLs longer


def redacted(text: object, *, limit: int = 300) -> str:
    """One line of text without passwords, tokens and URLs that hold secrets.

    Left out: database URLs, URLs with a user or a query (signed URLs have a query),
    and very long URLs. A line of more than `limit` characters is cut off.
    """
    if not isinstance(text, str):
        return ""
    line = _CONTROL.sub(" ", text).strip()
    line = _DATABASE_URL.sub("[URL left out]", line)
    line = _URL.sub(_harmless, line)
    line = _TOKEN.sub("[token left out]", line)
    line = _PASSWORD.sub(r"\1\2[left out]", line)
    line = _OPTION.sub(r"\1[left out]", line)
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def last_words(err: str) -> str:
    """The last lines of what a program said on stderr, as one line without secrets."""
    lines = [line for line in err.splitlines() if line.strip()][-_LAST:]
    return " / ".join(redacted(line).rstrip(".") for line in lines)


def _harmless(match: re.Match[str]) -> str:
    url = match[0]
    return "[URL left out]" if {"@", "?"} & set(url) or len(url) > _LONG else url
