"""Answers to order: any status, in the words that Heroku or S3 has for it."""

from __future__ import annotations

from aiohttp import web

from dbpull.demo.heroku import refusals
from faulty_stand_in.faults import Fault

WORDS = {
    402: ("delinquent", "This account has outstanding fees."),
    403: ("forbidden", "You do not have access to the app."),
    429: (
        "rate_limit",
        "Your account reached the API rate limit. Please wait a few minutes before "
        "making new requests",
    ),
    500: ("internal_server_error", "Internal server error."),
}
TWO_FACTOR = ("two_factor", "Two-factor authentication code required.")
PAGE = "<html><body><h1>503 Service Unavailable</h1></body></html>"
S3_WORDS = {**refusals.S3_WORDS, 503: ("SlowDown", "Please reduce your request rate.")}
S3_INTERNAL = ("InternalError", "We encountered an internal error. Please try again.")


def canned(host: str, fault: Fault) -> web.Response:
    """The answer that a fault asks for, in the words of the host it strikes."""
    if fault.body is not None:
        headers = {"Content-Type": fault.content_type or "text/plain"}
        return web.Response(
            body=fault.body.encode(),
            status=fault.status,
            headers=headers | dict(fault.headers),
        )
    if host == "download":
        return _in_xml(fault)
    if fault.status == 503:
        return refusals.in_html(503, fault.message or PAGE, fault.headers)
    return _in_json(fault)


def _in_json(fault: Fault) -> web.Response:
    usual = WORDS.get(fault.status, ("", ""))
    if fault.code == TWO_FACTOR[0]:
        usual = TWO_FACTOR
    return refusals.in_json(
        fault.status,
        code=fault.code or usual[0],
        message=fault.message or usual[1],
        headers=fault.headers,
    )


def _in_xml(fault: Fault) -> web.Response:
    usual = S3_WORDS.get(fault.status, S3_INTERNAL)
    return refusals.in_xml(
        fault.status,
        code=fault.code or usual[0],
        message=fault.message or usual[1],
        headers=fault.headers,
    )
