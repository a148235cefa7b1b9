"""The refusals of Heroku's APIs and of S3, as recorded and as documented."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from xml.sax.saxutils import escape

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HTML = "text/html; charset=utf-8"
NOT_FOUND_PAGE = "<h1>Not Found</h1>"
# Status: Heroku's id and message.
WORDS = {
    400: ("bad_request", "Unable to parse the request."),
    401: ("unauthorized", "Invalid credentials provided."),
    404: ("not_found", "Couldn't find that resource."),
    410: ("gone", "The requested resource is gone."),
    422: ("invalid_params", "The request could not be carried out."),
}
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
}


class ErrorResponse(Exception):
    """A handler's refusal: the answer goes to the client unchanged."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(answer.status)
        self.answer = answer


@web.middleware
async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn a handler's refusal into the answer."""
    try:
        return await handler(request)
    except ErrorResponse as refused:
        return refused.answer


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
    body = {"id": code or usual[0], "message": message or usual[1], **more}
    return web.json_response(body, status=status, headers=headers)


def in_html(
    status: int, text: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """A page, as from Heroku's routers and for the Data API's 404."""
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
    usual = S3_WORDS.get(status, (f"Status{status}", f"Status {status}."))
    told = {"Code": code or usual[0], "Message": message or usual[1], **(more or {})}
    told |= {"RequestId": "5TANDIN0HEROKU00", "HostId": "stand-in"}
    inside = "".join(f"<{k}>{escape(str(v))}</{k}>" for k, v in told.items())
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inside}</Error>'
    return web.Response(
        body=text.encode(),
        status=status,
        headers={"Content-Type": "application/xml"} | dict(headers or {}),
    )


def no_app() -> ErrorResponse:
    """The refusal of both APIs for an unknown app."""
    return ErrorResponse(
        in_json(404, message="Couldn't find that app.", resource="app")
    )


def as_json(data: object, status: int = 200) -> web.Response:
    """The answer of a success."""
    return web.json_response(data, status=status, dumps=json.dumps)
