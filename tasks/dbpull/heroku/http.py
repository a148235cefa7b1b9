"""Requests to Heroku's two APIs, their retries, and their errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

from urllib3.exceptions import HTTPError as Urllib3Error

from dbpull.errors.heroku_http import HttpError, UnexpectedAnswer, Unreachable
from dbpull.errors.network import Reason
from dbpull.heroku import credentials
from dbpull.heroku.answers import ApiAnswer
from dbpull.heroku.hosts import ApiUrls
from dbpull.heroku.session import body_of, session
from dbpull.network import reason_of

ATTACHMENTS: Mapping[str, str] = {
    "Accept": "application/vnd.heroku+json; version=3.sdk",
    # Without this header, attachments have no plan.
    "Accept-Inclusion": "addon:plan,config_vars",
}
_TIMEOUT = (10.0, 30.0)  # seconds: to connect, between two bytes
DEADLINE = 60.0  # seconds for an answer's body, however slowly it arrives
MOST = 64 * 2**20  # bytes of a body
_PAUSES = (0.5, 1.0, 2.0)  # seconds; then always
_LONGEST_PAUSE = 4.0

Json = TypeVar("Json", dict[str, Any], list[Any])


@dataclass(frozen=True)
class _Request:
    method: str
    base: str
    path: tuple[str, ...]
    about: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, object] | None = None

    @property
    def host(self) -> str:
        return str(urlsplit(self.base).hostname)


class Api:
    """Heroku's Platform API and Data API, asked with one token.

    A GET that fails temporarily (no connection, 429, 5xx) is repeated for up to
    `patience` seconds; a POST only if it is `repeatable`, or if Heroku certainly did
    nothing. `notice` is called before each wait.
    """

    def __init__(
        self,
        hosts: ApiUrls,
        token: credentials.Token,
        *,
        patience: float = 30.0,
        timeout: tuple[float, float] = _TIMEOUT,
        notice: Callable[[str], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.platform = hosts.platform
        self.data = hosts.data
        self.origin = token.origin
        self.patience = patience
        self.notice = notice
        self.sleep = sleep
        self.clock = clock
        self._timeout = timeout
        self._session = session(token)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], **options: Any) -> Api:
        """The APIs with the hosts and the token that the environment names.

        `options` go to the class. Raises `RefusedHost`, and as `token` does.
        """
        hosts = ApiUrls.from_environment(environ)
        return cls(hosts, credentials.token(environ, hosts.machine), **options)

    def get(
        self,
        kind: type[Json],
        base: str,
        *path: str,
        about: str,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Json:
        """The JSON at a path under `platform` or `data`: a `dict` or a `list`.

        A list in several parts (`Next-Range`) is joined. Raises `HttpError`s,
        worded with `about` ("the backups of shop").
        """
        patience = self.patience if patience is None else patience
        given = dict(headers or {})
        items: list[Any] = []
        seen: set[str] = set()
        while True:
            request = _Request("GET", base, path, about, given, query or {})
            content, following = self._patiently(request, patience, repeatable=True)
            found = _expected(kind, content, request)
            if not isinstance(found, list):
                return found
            items += found
            if not following:
                return items
            if following in seen:
                why = "its parts never end"
                raise UnexpectedAnswer(request.host, about, why)
            seen.add(following)
            given["Range"] = following

    def post(
        self,
        kind: type[Json],
        base: str,
        *path: str,
        about: str,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
        repeatable: bool = False,
    ) -> Json:
        """The JSON of a POST; `repeatable` where a second POST does no harm."""
        request = _Request("POST", base, path, about, headers or {}, body=body)
        patience = self.patience
        content, _ = self._patiently(request, patience, repeatable=repeatable)
        return _expected(kind, content, request)

    def set(
        self,
        method: Literal["PUT", "PATCH"],
        base: str,
        *path: str,
        about: str,
        body: Mapping[str, object],
    ) -> None:
        """Send a PUT or PATCH; retried, since a second request does no harm."""
        request = _Request(method, base, path, about, body=body)
        self._patiently(request, self.patience, repeatable=True)

    def _patiently(
        self, request: _Request, patience: float, *, repeatable: bool
    ) -> tuple[Any, str | None]:
        """An answer's JSON and Next-Range; raises the error that ends the retries."""
        end = self.clock() + patience
        pauses = chain(_PAUSES, repeat(_LONGEST_PAUSE))
        while True:
            try:
                answer = self._once(request)
                content = answer.content(request.about, self.origin)
                return content, answer.headers.get("Next-Range")
            except HttpError as trouble:
                wait = max(next(pauses), trouble.retry_after or 0.0)
                again = trouble.passing and (repeatable or trouble.unsent)
                if not again or self.clock() + wait > end:
                    raise
                self.notice(f"{trouble.what} Asking again in {wait:.2g} s.")
            self.sleep(wait)

    def _once(self, request: _Request) -> ApiAnswer:
        url = _url(request.base, request.path)
        reason: Reason | None
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
                return ApiAnswer(request.host, status, headers, body)
            reason = None
        # requests' own errors are OSErrors; a malformed proxy raises the others.
        except (OSError, Urllib3Error, TypeError, ValueError) as error:
            reason = reason_of(error)
        # Outside of `except`: errors of requests quote URLs, also of a proxy.
        if reason:
            raise Unreachable(request.host, reason)
        why = f"it has more than {MOST // 2**20} MB"
        raise UnexpectedAnswer(request.host, request.about, why)


def _url(base: str, path: tuple[str, ...]) -> str:
    """A URL whose path has exactly these parts, whatever characters they hold."""
    if not {"", ".", ".."}.isdisjoint(path):
        raise ValueError(f"{path!r} cannot be parts of a path")
    return "/".join([base, *(quote(part, safe="") for part in path)])


def _expected(kind: type[Json], content: object, request: _Request) -> Json:
    if isinstance(content, kind):
        return content
    why = f"it is no {'list' if kind is list else 'object'}"
    raise UnexpectedAnswer(request.host, request.about, why)
