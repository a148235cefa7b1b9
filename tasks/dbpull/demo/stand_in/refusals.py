"""How Heroku's APIs and S3 say no: the bodies, as recorded and as documented."""

from __future__ import annotations

import json
from collections.abc import Mapping
from xml.sax.saxutils import escape

from aiohttp import web

HTML = "text/html; charset=utf-8"
NOT_FOUND_PAGE = "<h1>Not Found</h1>"
# Status: Heroku's id and message.
WORDS = {
    400: ("bad_request", "Unable to parse the request."),
    401: ("unauthorized", "Invalid credentials provided."),
    402: ("delinquent", "This account has outstanding fees."),
    403: ("forbidden", "You do not have access to the app."),
    404: ("not_found", "Couldn't find that resource."),
    410: ("gone", "The requested resource is gone."),
    422: ("invalid_params", "The request could not be carried out."),
    429: (
        "rate_limit",
        "Your account reached the API rate limit. Please wait a few minutes before "
        "making new requests",
    ),
    500: ("internal_server_error", "Internal server error."),
}
TWO_FACTOR = "Two-factor authentication code required."
# Status: S3's code and message.
S3_WORDS = {
    400: ("InvalidArgument", "The request is not valid."),
    403: ("AccessDenied", "Access Denied"),
    404: ("NoSuchKey", "The specified key does not exist."),
    412: (
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    ),
    416: ("InvalidRange", "The requested range is not satisfiable"),
    503: ("SlowDown", "Please reduce your request rate."),
}
S3_INTERNAL = ("InternalError", "We encountered an internal error. Please try again.")


class Refused(Exception):
    """A handler says no; the answer goes to the client as it is."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


def in_json(
    status: int,
    *,
    code: str = "",
    message: str = "",
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> web.Response:
    """The JSON object `{id, message, …}` of both APIs."""
    usual = WORDS.get(status, (f"status_{status}", f"Status {status}."))
    if code == "two_factor":
        usual = (code, TWO_FACTOR)
    body = {"id": code or usual[0], "message": message or usual[1], **more}
    return web.json_response(body, status=status, headers=headers)


def in_html(
    status: int, text: str = "", headers: Mapping[str, str] | None = None
) -> web.Response:
    """A page, as Heroku's routers and the Data API's 404 have it."""
    text = text or f"<html><body><h1>{status} Service Unavailable</h1></body></html>"
    return web.Response(
        text=text, status=status, headers={"Content-Type": HTML} | dict(headers or {})
    )


def in_xml(
    status: int,
    *,
    code: str = "",
    message: str = "",
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> web.Response:
    """S3's error document."""
    usual = S3_WORDS.get(status, S3_INTERNAL)
    told = {"Code": code or usual[0], "Message": message or usual[1], **(more or {})}
    told |= {"RequestId": "5TANDIN0HEROKU00", "HostId": "stand-in"}
    inside = "".join(f"<{k}>{escape(str(v))}</{k}>" for k, v in told.items())
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inside}</Error>'
    return web.Response(
        body=text.encode(),
        status=status,
        headers={"Content-Type": "application/xml"} | dict(headers or {}),
    )


def no_app() -> Refused:
    """Neither API knows the app."""
    return Refused(in_json(404, message="Couldn't find that app.", resource="app"))


def as_json(data: object, status: int = 200) -> web.Response:
    """An answer that is no refusal."""
    return web.json_response(data, status=status, dumps=json.dumps)
