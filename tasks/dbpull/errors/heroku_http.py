"""Errors about requests to Heroku: token, hosts, access.

`about` words the request's object: "the backups of shop".
"""

from __future__ import annotations

from dbpull.errors.heroku import HerokuError
from dbpull.errors.http_api import HttpError, Provider, said

HEROKU = Provider("Heroku", "https://status.heroku.com", "HEROKU_HOST")

AUTHORIZATIONS = (
    "https://dashboard.heroku.com/account/applications (Authorizations) or `heroku"
    " authorizations:create`"
)
"""The page on which a user makes a token."""


class RefusedHost(HerokuError):
    """A variable names a host that must not get the token."""

    def __init__(self, variable: str, value: str, why: str, remedy: str = "") -> None:
        super().__init__(
            f"{variable} is set to {value!r}, {why}.",
            remedy
            or f"Unset {variable}, or name a host under heroku.com, or localhost.",
        )


class BadToken(HttpError):
    """401: Heroku does not know the token from `origin`."""

    def __init__(self, origin: str) -> None:
        known = origin == "HEROKU_API_KEY"
        super().__init__(
            f"Heroku does not accept the token from {origin}.",
            "Set HEROKU_API_KEY (environment or .env) to a valid one:"
            f" {AUTHORIZATIONS} makes one."
            if known
            else "Log in again with `heroku login`, or set HEROKU_API_KEY"
            f" (environment or .env): {AUTHORIZATIONS} makes one.",
        )


class TwoFactor(HttpError):
    """403 `two_factor`: Heroku wants a code that only a person can type."""

    def __init__(self, about: str, origin: str) -> None:
        super().__init__(
            f"Heroku asks for a second factor before it shows {about} to the token "
            f"from {origin}.",
            "Use an authorization token, which needs no second factor: make one with "
            f"{AUTHORIZATIONS} and set it as HEROKU_API_KEY.",
        )


class NoAccess(HttpError):
    """403: the token's account has no access to the object."""

    def __init__(self, about: str, origin: str, message: str) -> None:
        super().__init__(
            f"Heroku refuses {about} to the token from {origin}{said(message)}",
            "Ask the app's owner for access, or use a token of an account that has it;"
            " one with a narrow scope may not.",
        )


class Suspended(HttpError):
    """402, or 403 `suspended` or `delinquent`: the account or app is blocked."""

    def __init__(self, about: str, message: str) -> None:
        super().__init__(
            f"Heroku has blocked the account or app behind {about}{said(message)}",
            "Settle it at https://dashboard.heroku.com/account/billing.",
        )
