"""Requests to Render's API: its address, its key, its errors."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from dbpull.errors.http_api import HttpError, Provider, said
from dbpull.errors.sources import SourceError
from dbpull.http_api.answers import ApiAnswer, Json
from dbpull.http_api.patient import ApiRequest, PatientApi
from dbpull.http_api.session import session
from dbpull.network import is_loopback

RENDER = Provider("Render", "https://status.render.com", "RENDER_HOST")
_BASE = "https://api.render.com/v1"
_KEY = re.compile(r"[!-~]+")  # printable ASCII without blanks: fits in a header
# No user, backslash or query: there two parsers can disagree about the host.
_ADDRESS = re.compile(
    r"(?:https|(?P<plain>http))://(?P<name>[a-z0-9.-]+)(?::[0-9]{1,5})?(?:/[a-z0-9]+)*",
    re.IGNORECASE,
)
_KEYS = (
    "https://dashboard.render.com/u/settings#api-keys makes one; set it as"
    " RENDER_API_KEY in the environment or in .env."
)


class RenderApi(PatientApi):
    """Render's API, asked with one key; several threads may use it."""

    provider = RENDER

    def __init__(self, base: str, key: str, **options: Any) -> None:
        super().__init__(session(key), **options)
        self.base = base
        self.host = str(urlsplit(base).hostname)
        self._one_at_a_time = threading.Lock()

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], **options: Any) -> RenderApi:
        """The API with the key and the address that the environment names.

        RENDER_HOST is the API's base URL, as for Render's own CLI. Raises SourceError
        without a key, and for an address that must not get the key.
        """
        return cls(_base(environ), _key(environ), **options)

    def get(
        self,
        kind: type[Json],
        *path: str,
        about: str,
        query: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Json:
        """The JSON at a path; raises `HttpError`s, worded with `about`."""
        request = ApiRequest("GET", self.base, path, about, query=query or {})
        patience = self.patience if patience is None else patience
        with self._one_at_a_time:
            answer = self.answer(request, patience, repeatable=True)
        return answer.content(kind, about)

    def post(self, *path: str, about: str) -> None:
        """Send a POST once, unless Render has certainly done nothing."""
        request = ApiRequest("POST", self.base, path, about)
        with self._one_at_a_time:
            self.answer(request, self.patience, repeatable=False)

    def refusal(self, answer: ApiAnswer, about: str, message: str) -> HttpError | None:
        """Render's own error for a 401 or 403."""
        if answer.status == 401:
            return HttpError(
                "Render does not accept the key in RENDER_API_KEY.",
                f"It may have been revoked: {_KEYS}",
            )
        if answer.status == 403:
            return HttpError(
                f"Render refuses {about} to the key in RENDER_API_KEY{said(message)}",
                "Use a key of an account that has access to the database's workspace.",
            )
        return None


def _key(environ: Mapping[str, str]) -> str:
    key = environ.get("RENDER_API_KEY", "").strip()
    if not key:
        raise SourceError("RENDER_API_KEY is not set: Render's API wants a key.", _KEYS)
    if not _KEY.fullmatch(key):
        raise SourceError(
            "The key in RENDER_API_KEY is not one: it holds blanks or characters that"
            " no key has.",
            f"Copy it again, on one line and without quotes: {_KEYS}",
        )
    return key


def _base(environ: Mapping[str, str]) -> str:
    base = environ.get("RENDER_HOST", "").strip().rstrip("/") or _BASE
    if match := _ADDRESS.fullmatch(base):
        plain, name = match["plain"], match["name"].lower()
        if is_loopback(name) or (not plain and f".{name}".endswith(".render.com")):
            return base
    raise SourceError(
        "RENDER_HOST names an address that is not Render's, and would be sent your"
        " key.",
        f"Unset RENDER_HOST: Render's API is at {_BASE}.",
    )
