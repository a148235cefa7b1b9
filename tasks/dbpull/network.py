"""HTTP: the reason of a missing answer, the time of the next try, safe addresses."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
import urllib3.exceptions as urllib3

from dbpull.errors.network import Reason

INTERVAL = 3.0  # seconds between two requests at most, as in the Heroku CLI
_SHORTEST_PAUSE = 0.5  # a small database is done in a second
# The first match counts: a proxy's errors wrap others, and urllib3 counts each failure
# to connect among the timeouts.
_REASONS: tuple[tuple[Reason, tuple[type[BaseException], ...]], ...] = (
    ("proxy", (requests.exceptions.ProxyError, requests.exceptions.InvalidProxyURL)),
    ("proxy", (urllib3.ProxyError,)),
    ("tls", (ssl.SSLCertVerificationError,)),
    ("dns", (socket.gaierror, urllib3.NameResolutionError)),
    ("refused", (ConnectionRefusedError,)),
    ("connect", (requests.ConnectTimeout, urllib3.ConnectTimeoutError)),
    ("silent", (requests.ReadTimeout, urllib3.ReadTimeoutError, TimeoutError)),
    # Other TLS errors may come after the request was sent.
    ("tls lost", (ssl.SSLError,)),
    ("dropped", (requests.ConnectionError, urllib3.ProtocolError)),
    ("dropped", (requests.exceptions.ChunkedEncodingError,)),
)


def reason_of(error: BaseException) -> Reason:
    """The reason of a missing answer, by the exception and its wrapped exceptions."""
    # requests raises a bare OSError where REQUESTS_CA_BUNDLE names no file.
    if type(error) is OSError:
        return "tls"
    wrapped = list(_wrapped(error))
    for reason, kinds in _REASONS:
        if any(isinstance(each, kinds) for each in wrapped):
            return reason
    return "other"


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of a host's Retry-After (RFC 9110, 10.2.3); 0 without one."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def pause_after(passed: float, longest: float = INTERVAL) -> float:
    """Seconds until the next request: a quarter of the time passed, within limits."""
    return min(longest, max(_SHORTEST_PAUSE, passed / 4))


def is_loopback(name: str) -> bool:
    """Whether a host name always means this machine."""
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_safe(url: str) -> bool:
    """Whether a download by the URL is encrypted, or stays on this machine."""
    try:
        parts = urlsplit(url)
        loopback = is_loopback(parts.hostname or "")
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and loopback)


def _wrapped(error: BaseException) -> Iterator[BaseException]:
    """An exception and the exceptions inside it (of requests, urllib3, socket)."""
    seen: list[BaseException] = [error]
    for one in seen:
        inner = (one.__cause__, one.__context__, getattr(one, "reason", None))
        for other in (*inner, *one.args):
            if isinstance(other, BaseException) and other not in seen:
                seen.append(other)
        yield one
