"""Requests to a provider's HTTP API, their retries, and their errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import HTTPError as Urllib3Error

from dbpull.errors.http_api import (
    HttpError,
    NotFound,
    Provider,
    ProviderDown,
    RateLimited,
    RequestRefused,
    UnexpectedAnswer,
    Unreachable,
)
from dbpull.errors.network import Reason
from dbpull.http_api.answers import ApiAnswer
from dbpull.http_api.session import body_of
from dbpull.network import reason_of, retry_after
from dbpull.redact import redacted

_TIMEOUT = (10.0, 30.0)  # seconds: to connect, between two bytes
DEADLINE = 60.0  # seconds for an answer's body, however slowly it arrives
MOST = 64 * 2**20  # bytes of a body
_PAUSES = (0.5, 1.0, 2.0)  # seconds; then always
_LONGEST_PAUSE = 4.0


@dataclass(frozen=True)
class ApiRequest:
    """A request: the base URL of an API, and the parts of the path.

    `about` words its object in errors: "the backups of shop".
    """

    method: str
    base: str
    path: tuple[str, ...]
    about: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None

    @property
    def host(self) -> str:
        """The API's host, for messages."""
        return str(urlsplit(self.base).hostname)

    @property
    def url(self) -> str:
        """A URL whose path has exactly these parts, whatever characters they hold."""
        if not {"", ".", ".."}.isdisjoint(self.path):
            raise ValueError(f"{self.path!r} cannot be parts of a path")
        return "/".join([self.base, *(quote(part, safe="") for part in self.path)])


class PatientApi:
    """An HTTP API, asked with one token; base of each provider's.

    A GET that fails temporarily (no connection, 429, 5xx) is repeated for up to
    `patience` seconds; a POST only if it is repeatable, or if the provider certainly
    did nothing. `notice` is told each trouble, once in a row.
    """

    provider: Provider

    def __init__(
        self,
        session: requests.Session,
        *,
        patience: float = 30.0,
        timeout: tuple[float, float] = _TIMEOUT,
        notice: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.patience = patience
        self.notice = notice
        self.sleep = sleep
        self.clock = clock
        self._timeout = timeout
        self._session = session

    def refusal(self, answer: ApiAnswer, about: str, message: str) -> HttpError | None:
        """The provider's own error for an answer; None for a common error."""
        raise NotImplementedError

    def answer(
        self, request: ApiRequest, patience: float, *, repeatable: bool
    ) -> ApiAnswer:
        """The 2xx of a request; raises the `HttpError` that ends the retries."""
        end = self.clock() + patience
        pauses = chain(_PAUSES, repeat(_LONGEST_PAUSE))
        told = ""
        while True:
            try:
                return self._once(request)
            except HttpError as trouble:
                wait = max(next(pauses), trouble.retry_after or 0.0)
                again = trouble.passing and (repeatable or trouble.unsent)
                if not again or self.clock() + wait > end:
                    raise
                if trouble.what != told:
                    told = trouble.what
                    self.notice(f"{told} Asking again for up to {patience:.0f} s.")
            self.sleep(wait)

    def _once(self, request: ApiRequest) -> ApiAnswer:
        url = request.url
        answer: ApiAnswer | None = None
        reason: Reason | None = None
        try:
            with self._session.request(
                request.method,
                url,
                headers=request.headers,
                params=request.query,
                json=request.body,
                timeout=self._timeout,
                stream=True,
            ) as response:
                end = self.clock() + DEADLINE
                body = body_of(response, self.clock, end, MOST)
            if body is not None:
                status, headers = response.status_code, response.headers
                answer = ApiAnswer(request.host, status, headers, body)
        # requests' own errors are OSErrors; a malformed proxy raises the others.
        except (OSError, Urllib3Error, TypeError, ValueError) as error:
            reason = reason_of(error)
        # Outside of `except`: errors of requests quote URLs, also of a proxy.
        if reason:
            raise Unreachable(self.provider, request.host, reason)
        if answer is None:
            why = f"it has more than {MOST // 2**20} MB"
            raise UnexpectedAnswer(request.host, request.about, why)
        return self._good(answer, request)

    def _good(self, answer: ApiAnswer, request: ApiRequest) -> ApiAnswer:
        """The answer, if it is a 2xx; else raises its error."""
        if 200 <= answer.status < 300:
            return answer
        body = answer.error_body()
        message = redacted(body.get("message"))
        own = self.refusal(answer, request.about, message)
        raise own or self._common(answer, request.about, message)

    def _common(self, answer: ApiAnswer, about: str, message: str) -> HttpError:
        status, body = answer.status, answer.error_body()
        if status in (404, 410):
            resource = str(body.get("resource") or "")
            gone = status == 410
            return NotFound(self.provider, about, resource=resource, gone=gone)
        if status == 429:
            return RateLimited(self.provider, retry_after(answer.headers))
        if status >= 500:
            later = retry_after(answer.headers)
            return ProviderDown(self.provider, answer.host, status, later)
        error_id = redacted(body.get("id"))
        return RequestRefused(self.provider, about, status, message, error_id=error_id)
