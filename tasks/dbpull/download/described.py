"""The description of an object at a URL, by a request for its first byte.

A presigned URL answers GET alone; a HEAD is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from dbpull.download.backoff import Backoff
from dbpull.download.fault import Retryable
from dbpull.download.presigned_url import PresignedUrl
from dbpull.download.request import Expired, HttpConnection
from dbpull.errors.download import UrlRefused
from dbpull.signals import SIGNALS


@dataclass(frozen=True)
class Described:
    """What a host tells of an object."""

    host: str
    size: int | None
    modified: datetime | None
    """When the object was changed last (UTC)."""


def describe(url: Callable[[], str], notice: Callable[[str], None]) -> Described:
    """Ask for the description of an object. Raises DownloadFailed."""
    backoff, tries = Backoff(30.0, notice), 0
    connection = HttpConnection(PresignedUrl(url))
    try:
        while True:
            tries += 1
            try:
                with connection.get(0, 0, None) as answer:
                    return Described(
                        answer.host, answer.identity.size, _time(answer.modified)
                    )
            except Retryable as fault:
                SIGNALS.pause(backoff.pause(fault, tries, 0))
    except Expired as refused:
        raise UrlRefused(refused.host, refused.status, refused.code) from None
    finally:
        connection.close()


def _time(text: str) -> datetime | None:
    """The time of a Last-Modified (RFC 9110, 8.8.2)."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
