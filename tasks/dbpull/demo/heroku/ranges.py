"""The range that a request asks for: `Range`, `If-Range`, `If-Match` as S3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import format_datetime

from dbpull.demo.heroku.bucket import Object

SINGLE = re.compile(r"bytes=(\d*)-(\d*)$")


class NotSatisfiable(Exception):
    """The range begins after the object's end: 416."""


def wanted(headers: Mapping[str, str], stored: Object) -> tuple[int, int] | None:
    """The range's start, and end (excluded); None for the whole object, with a 200.

    S3 sends the whole object for a range that S3 does not understand, for several
    ranges, and for an `If-Range` of another object. Raises `NotSatisfiable`.
    """
    match = SINGLE.fullmatch(headers.get("Range", "").replace(" ", ""))
    if not match or match.groups() == ("", "") or not _same(headers, stored):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(0, stored.size - int(last)), stored.size
    else:
        start = int(first)
        stop = min(stored.size, int(last) + 1) if last else stored.size
        if last and int(last) < start:
            return None
    if start >= stored.size or start >= stop:
        raise NotSatisfiable
    return start, stop


def precondition_holds(headers: Mapping[str, str], stored: Object) -> bool:
    """Whether `If-Match` names this object, or is not sent."""
    condition = headers.get("If-Match", "*")
    return condition == "*" or stored.etag in re.split(r"\s*,\s*", condition)


def last_modified(stored: Object) -> str:
    """The time of an object, as the header has it."""
    return format_datetime(stored.modified.replace(microsecond=0), usegmt=True)


def _same(headers: Mapping[str, str], stored: Object) -> bool:
    condition = headers.get("If-Range", stored.etag)
    return condition in (stored.etag, last_modified(stored))
