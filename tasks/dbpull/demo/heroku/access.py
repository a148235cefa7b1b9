"""Who may use the APIs, and under which name: tokens, hosts, unknown paths."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from fnmatch import fnmatchcase

from aiohttp import web

from dbpull.demo.heroku import refusals
from dbpull.demo.heroku.refusals import Handler

DATA_PATHS = ("/client/v11/*", "/postgres/v0/*", "/data/*")
NO_ENDPOINT = (
    "The requested API endpoint was not found. Are you using the right HTTP verb, and "
    "did you specify your intended version with the `Accept` header?"
)


def role(path: str) -> str:
    """Which of the two APIs a path belongs to."""
    data = any(fnmatchcase(path, pattern) for pattern in DATA_PATHS)
    return "data" if data else "platform"


def token(headers: web.BaseRequest) -> str:
    """The token that came as `Bearer`, or as `Basic` with or without a user."""
    scheme, _, value = headers.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return decoded.partition(":")[2]


class Access:
    """The middleware that lets in only those with the token."""

    def __init__(self, token: str, data_host: str) -> None:
        self._token = token
        # By the same name, the two hosts can't be told apart.
        self._data_host = data_host if data_host != "127.0.0.1" else ""

    def middleware(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        """For `web.Application(middlewares=…)`."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not hmac.compare_digest(token(request).encode(), self._token.encode()):
                return refusals.in_json(401)
            host = role(request.path)
            if not self._right_host(request, host):
                return _no_endpoint(host)
            try:
                return await handler(request)
            except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
                return _no_endpoint(host)

        return guard

    def _right_host(self, request: web.Request, host: str) -> bool:
        if not self._data_host or request.path.startswith("/stand-in"):
            return True
        named = request.host.rpartition(":")[0]
        return (named == self._data_host) == (host == "data")


def _no_endpoint(host: str) -> web.Response:
    if host == "data":
        return refusals.in_html(404, refusals.NOT_FOUND_PAGE)
    return refusals.in_json(404, message=NO_ENDPOINT)
