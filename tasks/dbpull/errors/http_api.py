"""Errors about requests to a provider's HTTP API: network, limits, answers.

`about` words the request's object: "the backups of shop".
"""

from __future__ import annotations

from dataclasses import dataclass

from dbpull.errors.network import Reason
from dbpull.errors.sources import SourceError
from dbpull.naming import command


@dataclass(frozen=True)
class Provider:
    """A provider of databases, as messages name it."""

    name: str
    status_page: str
    variable: str
    """The environment's variable with another address of the API."""


class HttpError(SourceError):
    """A request to a provider got no answer, or a refusal.

    `passing`: the trouble is temporary, so the request may be repeated.
    `unsent`: the provider certainly did nothing, so even a capture may be repeated.
    `retry_after`: the provider's Retry-After, in seconds.
    """

    passing: bool = False
    unsent: bool = False
    retry_after: float | None = None


class Unreachable(HttpError):
    """No answer came: DNS, connection, TLS, proxy, silence."""

    def __init__(self, provider: Provider, host: str, reason: Reason) -> None:
        self.host = host
        self.reason = reason
        self.passing = reason not in ("tls", "proxy", "other")
        self.unsent = reason in ("dns", "refused", "connect", "tls", "proxy")
        remedy = _REMEDIES.get(
            reason, "Check the network, and {status_page}, then run it again."
        )
        super().__init__(
            _UNREACHABLE[reason].format(host=host), remedy.format_map(vars(provider))
        )


_UNREACHABLE: dict[Reason, str] = {
    "dns": "The name {host} could not be looked up.",
    "refused": "{host} refused the connection.",
    "connect": "{host} could not be connected to in time.",
    "silent": "{host} took the request but did not answer in time.",
    "dropped": "The connection to {host} broke off.",
    "tls lost": "The TLS connection to {host} broke off.",
    "tls": "The TLS certificate of {host} could not be verified.",
    "proxy": "The proxy on the way to {host} could not be used.",
    "other": "The request to {host} failed.",
}
_REMEDIES: dict[Reason, str] = {
    "tls": "Behind a proxy that opens TLS, set REQUESTS_CA_BUNDLE to the file with its "
    "certificate; else check the clock of this machine.",
    "proxy": "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment.",
    "other": "Check HTTPS_PROXY, REQUESTS_CA_BUNDLE and {variable} in the environment.",
}


class NotFound(HttpError):
    """404 or 410; the callers name the missing object."""

    def __init__(
        self,
        provider: Provider,
        about: str,
        *,
        resource: str = "",
        gone: bool = False,
    ) -> None:
        self.resource = resource
        self.gone = gone
        super().__init__(
            f"{provider.name} does not find {about}.",
            f"Check the names; `{command('backups')}` shows what there is.",
        )


class RateLimited(HttpError):
    """429: too many requests for this account; `retry_after` in seconds."""

    passing = True
    unsent = True

    def __init__(self, provider: Provider, retry_after: float | None) -> None:
        self.retry_after = retry_after
        wait = f"about {retry_after:.0f} s" if retry_after else "a few minutes"
        super().__init__(
            f"{provider.name} refuses more requests from this account for now (rate"
            " limit).",
            f"Wait {wait}, then run it again.",
        )


class ProviderDown(HttpError):
    """5xx: the provider itself is in trouble."""

    passing = True

    def __init__(
        self,
        provider: Provider,
        host: str,
        status: int,
        retry_after: float | None = None,
    ) -> None:
        self.retry_after = retry_after
        super().__init__(
            f"{host} is in trouble: it answers with HTTP status {status}.",
            f"Look at {provider.status_page} and run it again later.",
        )


class RequestRefused(HttpError):
    """Another 4xx, with the provider's message."""

    def __init__(
        self,
        provider: Provider,
        about: str,
        status: int,
        message: str,
        *,
        error_id: str = "",
    ) -> None:
        self.provider_message = message
        self.error_id = error_id
        super().__init__(
            f"{provider.name} refuses {about} with HTTP status {status}{said(message)}",
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
    """The end of a sentence: the provider's message, if any."""
    return f": {message.rstrip('.')}." if message else "."
