"""Heroku's HTTP answers: the JSON of a success, the error of a failure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dbpull.errors.heroku_http import (
    BadToken,
    HerokuDown,
    HttpError,
    NoAccess,
    NotFound,
    RateLimited,
    RequestRefused,
    Suspended,
    TwoFactor,
    UnexpectedAnswer,
)
from dbpull.network import retry_after
from dbpull.redact import redacted

_BLOCKED = ("suspended", "delinquent")


@dataclass(frozen=True)
class ApiAnswer:
    """One HTTP answer. Its body may hold passwords: it is never shown."""

    host: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def content(self, about: str, origin: str) -> Any:
        """The JSON of a 2xx; `about` and the token's `origin` word the errors."""
        if not 200 <= self.status < 300:
            raise self._error(about, origin)
        parsed = self._json()
        if parsed is None:
            raise UnexpectedAnswer(self.host, about, "it is no JSON")
        return parsed

    def _json(self) -> Any:
        """The body's JSON; None where the body is no JSON."""
        # No `raise … from`: a JSON error carries the whole body.
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def _error(self, about: str, origin: str) -> HttpError:
        parsed = self._json()
        body: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
        error_id, message = body.get("id"), redacted(body.get("message"))
        status = self.status
        if status == 401:
            return BadToken(origin)
        if status == 402 or (status == 403 and error_id in _BLOCKED):
            return Suspended(about, message)
        if status == 403 and error_id == "two_factor":
            return TwoFactor(about, origin)
        if status == 403:
            return NoAccess(about, origin, message)
        if status in (404, 410):
            resource = body.get("resource")
            return NotFound(about, resource=str(resource or ""), gone=status == 410)
        if status == 429:
            return RateLimited(retry_after(self.headers))
        if status >= 500:
            return HerokuDown(self.host, status, retry_after(self.headers))
        return RequestRefused(about, status, message, error_id=redacted(error_id))
