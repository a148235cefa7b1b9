"""Heroku's hosts: the Platform API, the Data API, and git.

HEROKU_HOST, HEROKU_DATA_HOST and HEROKU_GIT_HOST have the meaning of the Heroku CLI,
except that a host which must not get the token is refused instead of replaced.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dbpull.errors.heroku_http import RefusedHost
from dbpull.network import is_loopback
from dbpull.redact import redacted

_DOMAINS = ("heroku.com", "herokai.com", "herokuspace.com", "herokudev.com")
# Only scheme, name and port: in any other part of a URL (a user, a backslash, a query)
# two parsers can disagree about the host.
_HOST = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<name>[a-z0-9.-]+)(?::(?P<port>[0-9]{1,5}))?/?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ApiUrls:
    """The base URLs of the two APIs, without a slash at the end."""

    platform: str
    data: str

    @property
    def machine(self) -> str:
        """The Platform API's name in ~/.netrc: its host, with a port if any."""
        return self.platform.partition("://")[2]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> ApiUrls:
        """The hosts that the environment names; raises `RefusedHost`."""
        scheme, name, port = _platform(environ)
        return cls(
            platform=f"{scheme}://{name}{port}",
            data=f"{scheme}://{_data(environ, scheme)}{port}",
        )


def git_prefixes(environ: Mapping[str, str]) -> list[str]:
    """Regular expressions for the part before the app in a remote's URL."""
    ssh = https = environ.get("HEROKU_GIT_HOST", "").strip()
    if not ssh:
        ssh, https = _git_hosts(environ)
    ssh, https = re.escape(ssh), re.escape(https)
    return [f"git@{ssh}:", f"ssh://git@{ssh}/", f"https://(?:[^@/]*@)?{https}/"]


def _platform(environ: Mapping[str, str]) -> tuple[str, str, str]:
    """Scheme, host and ":port" of the Platform API."""
    value = environ.get("HEROKU_HOST", "").strip() or "heroku.com"
    match = _accepted("HEROKU_HOST", value)
    name, port = match["name"].lower(), f":{match['port']}" if match["port"] else ""
    if match["scheme"]:
        scheme = match["scheme"].lower()
        _refuse_plain("HEROKU_HOST", value, scheme, name)
        return scheme, name, port
    if is_loopback(name):
        raise RefusedHost(
            "HEROKU_HOST",
            value,
            f"which would mean https://api.{value}",
            f"Give the whole URL, such as HEROKU_HOST=http://{value}.",
        )
    return "https", f"api.{name}", port


def _data(environ: Mapping[str, str], scheme: str) -> str:
    """The Data API's host; scheme and port are the Platform API's."""
    for variable in ("HEROKU_DATA_HOST", "HEROKU_POSTGRESQL_HOST"):
        value = environ.get(variable, "").strip()
        if not value:
            continue
        match = _accepted(variable, value)
        if match["scheme"] or match["port"] or value.endswith("/"):
            raise RefusedHost(
                variable,
                value,
                "but takes a host name alone",
                f"Set {variable}={match['name']}: scheme and port are HEROKU_HOST's.",
            )
        _refuse_plain(variable, value, scheme, match["name"])
        return match["name"].lower()
    if scheme == "http":
        raise RefusedHost(
            "HEROKU_HOST",
            environ["HEROKU_HOST"].strip(),
            "which leaves the Data API at api.data.heroku.com without TLS",
            "Set HEROKU_DATA_HOST as well, such as HEROKU_DATA_HOST=127.0.0.1.",
        )
    return "api.data.heroku.com"


def _git_hosts(environ: Mapping[str, str]) -> tuple[str, str]:
    """The hosts of git over SSH and over HTTPS, where no variable names one."""
    value = environ.get("HEROKU_HOST", "").strip() or "heroku.com"
    match = _accepted("HEROKU_HOST", value)
    if not match["scheme"]:
        return value, f"git.{value}"
    host = match["name"] + (f":{match['port']}" if match["port"] else "")
    return host, host


def _accepted(variable: str, value: str) -> re.Match[str]:
    """The parts of a host, if it may get the token; else raises `RefusedHost`."""
    match = _HOST.fullmatch(value)
    if match and int(match["port"] or 0) <= 65535:
        name = match["name"].lower()
        if is_loopback(name) or any(
            name == domain or name.endswith(f".{domain}") for domain in _DOMAINS
        ):
            return match
    why = "which is not Heroku's and would be sent your token"
    raise RefusedHost(variable, redacted(value, limit=80), why)


def _refuse_plain(variable: str, value: str, scheme: str, name: str) -> None:
    if scheme == "http" and not is_loopback(name):
        why = "so the token would travel without TLS"
        raise RefusedHost(variable, value, why, "Use https:// for all but localhost.")
