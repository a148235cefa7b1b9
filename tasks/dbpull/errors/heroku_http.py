"""Errors about requests to Heroku: token, hosts, network, answers.

`about` words the request's object: "the backups of shop".
"""

from __future__ import annotations

from dbpull.errors.heroku import HerokuError
from dbpull.errors.network import Reason
from dbpull.naming import command

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


class HttpError(HerokuError):
    """A request to Heroku got no answer, or a refusal.

    `passing`: the trouble is temporary, so the request may be repeated.
    `unsent`: Heroku certainly did nothing, so even a capture may be repeated.
    `retry_after`: Heroku's Retry-After, in seconds.
    """

    passing: bool = False
    unsent: bool = False
    retry_after: float | None = None


class Unreachable(HttpError):
    """No answer came: DNS, connection, TLS, proxy, silence."""

    def __init__(self, host: str, reason: Reason) -> None:
        self.host = host
        self.reason = reason
        self.passing = reason not in ("tls", "proxy", "other")
        self.unsent = reason in ("dns", "refused", "connect", "tls", "proxy")
        what, remedy = _UNREACHABLE[reason]
        super().__init__(what.format(host=host), remedy)


_NETWORK = "Check the network, and https://status.heroku.com, then run it again."
_UNREACHABLE: dict[Reason, tuple[str, str]] = {
    "dns": ("The name {host} could not be looked up.", _NETWORK),
    "refused": ("{host} refused the connection.", _NETWORK),
    "connect": ("{host} could not be connected to in time.", _NETWORK),
    "silent": ("{host} took the request but did not answer in time.", _NETWORK),
    "dropped": ("The connection to {host} broke off.", _NETWORK),
    "tls lost": ("The TLS connection to {host} broke off.", _NETWORK),
    "tls": (
        "The TLS certificate of {host} could not be verified.",
        "Behind a proxy that opens TLS, set REQUESTS_CA_BUNDLE to the file with its "
        "certificate; else check the clock of this machine.",
    ),
    "proxy": (
        "The proxy on the way to {host} could not be used.",
        "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment.",
    ),
    "other": (
        "The request to {host} failed.",
        "Check HTTPS_PROXY, REQUESTS_CA_BUNDLE and HEROKU_HOST in the environment.",
    ),
}


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
            "Ask the app's owner for access, or use a token of an account that has it.",
        )


class Suspended(HttpError):
    """402, or 403 `suspended` or `delinquent`: the account or app is blocked."""

    def __init__(self, about: str, message: str) -> None:
        super().__init__(
            f"Heroku has blocked the account or app behind {about}{said(message)}",
            "Settle it at https://dashboard.heroku.com/account/billing.",
        )


class NotFound(HttpError):
    """404 or 410; the callers name the missing object."""

    def __init__(self, about: str, *, resource: str = "", gone: bool = False) -> None:
        self.resource = resource
        self.gone = gone
        super().__init__(
            f"Heroku does not find {about}.",
            f"Check the names; `{command('backups')}` shows what there is.",
        )


class RateLimited(HttpError):
    """429: too many requests for this account; `retry_after` in seconds."""

    passing = True
    unsent = True

    def __init__(self, retry_after: float | None) -> None:
        self.retry_after = retry_after
        wait = f"about {retry_after:.0f} s" if retry_after else "a few minutes"
        super().__init__(
            "Heroku refuses more requests from this account for now (rate limit).",
            f"Wait {wait}, then run it again.",
        )


class HerokuDown(HttpError):
    """5xx: Heroku itself is in trouble."""

    passing = True

    def __init__(
        self, host: str, status: int, retry_after: float | None = None
    ) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"{host} is in trouble: it answers with HTTP status {status}.",
            "Look at https://status.heroku.com and run it again later.",
        )


class RequestRefused(HttpError):
    """Another 4xx, with Heroku's message."""

    def __init__(
        self, about: str, status: int, message: str, *, error_id: str = ""
    ) -> None:
        self.message_from_heroku = message
        self.error_id = error_id
        super().__init__(
            f"Heroku refuses {about} with HTTP status {status}{said(message)}",
            "Change what it complains about, then run it again.",
        )


class UnexpectedAnswer(HttpError):
    """An answer that is no JSON, or JSON of another form."""

    def __init__(self, host: str, about: str, why: str) -> None:
        super().__init__(
            f"{host} gave an answer about {about} that is not understood: {why}.",
            "A proxy or a Wi-Fi login page may be in between: check that "
            f"https://{host} can be reached, then run it again.",
        )


def said(message: str) -> str:
    """The end of a sentence: Heroku's message, if any."""
    return f": {message.rstrip('.')}." if message else "."
