"""The check of the APIs' token, and the answers to unknown paths."""

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
    """The API that a path belongs to: `data` or `platform`."""
    data = any(fnmatchcase(path, pattern) for pattern in DATA_PATHS)
    return "data" if data else "platform"


def token(headers: web.BaseRequest) -> str:
    """The request's token, sent as `Bearer`, or as `Basic` with or without a user."""
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


def guard(expected: str) -> Callable[..., Awaitable[web.StreamResponse]]:
    """The middleware that lets in only requests with the expected token."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not hmac.compare_digest(token(request).encode(), expected.encode()):
            return refusals.in_json(401)
        try:
            return await handler(request)
        except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
            if role(request.path) == "data":
                return refusals.in_html(404, refusals.NOT_FOUND_PAGE)
            return refusals.in_json(404, message=NO_ENDPOINT)

    return guarded
