"""Requests to Heroku's two APIs: their hosts, their token, their errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from dbpull.errors.heroku_http import (
    HEROKU,
    BadToken,
    NoAccess,
    Suspended,
    TwoFactor,
)
from dbpull.errors.http_api import HttpError, UnexpectedAnswer
from dbpull.heroku import credentials
from dbpull.heroku.hosts import ApiUrls
from dbpull.http_api.answers import ApiAnswer, Json
from dbpull.http_api.patient import ApiRequest, PatientApi
from dbpull.http_api.session import session

_ACCEPT = "application/vnd.heroku+json; version=3"
ATTACHMENTS: Mapping[str, str] = {
    "Accept": "application/vnd.heroku+json; version=3.sdk",
    # Without this header, attachments have no plan.
    "Accept-Inclusion": "addon:plan,config_vars",
}
_BLOCKED = ("suspended", "delinquent")


class Api(PatientApi):
    """Heroku's Platform API and Data API, asked with one token."""

    provider = HEROKU

    def __init__(
        self, hosts: ApiUrls, token: credentials.Token, **options: Any
    ) -> None:
        super().__init__(session(token.value, _ACCEPT), **options)
        self.platform = hosts.platform
        self.data = hosts.data
        self.origin = token.origin

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
            request = ApiRequest("GET", base, path, about, given, query or {})
            answer = self.answer(request, patience, repeatable=True)
            found = answer.content(kind, about)
            if not isinstance(found, list):
                return found
            items += found
            following = answer.headers.get("Next-Range")
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
        request = ApiRequest("POST", base, path, about, headers or {}, body=body)
        answer = self.answer(request, self.patience, repeatable=repeatable)
        return answer.content(kind, about)

    def set(
        self,
        method: Literal["PUT", "PATCH"],
        base: str,
        *path: str,
        about: str,
        body: Mapping[str, object],
    ) -> None:
        """Send a PUT or PATCH; retried, since a second request does no harm."""
        request = ApiRequest(method, base, path, about, body=body)
        self.answer(request, self.patience, repeatable=True).any_content(about)

    def refusal(self, answer: ApiAnswer, about: str, message: str) -> HttpError | None:
        """Heroku's own error for a 401, 402 or 403."""
        status, error_id = answer.status, answer.error_body().get("id")
        if status == 401:
            return BadToken(self.origin)
        if status == 402 or (status == 403 and error_id in _BLOCKED):
            return Suspended(about, message)
        if status == 403 and error_id == "two_factor":
            return TwoFactor(about, self.origin)
        return NoAccess(about, self.origin, message) if status == 403 else None
