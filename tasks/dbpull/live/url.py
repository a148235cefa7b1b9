"""The URL of a live source, as people have it, as a connection.

Frameworks' options are dropped, and special characters of a password need no
percent-encoding: the last @ before the path ends the password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote

from dbpull.errors.postgres import BadUrl
from dbpull.live import service
from dbpull.postgres.connection import Connection, with_sslmode
from dbpull.postgres.scheme import without_driver
from dbpull.postgres.variables import OF_SOURCES, OURS, PLACES
from dbpull.shell import Shell
from dbpull.shell.local import Local

_HOST = r"(?:\[[^\[\]@/?#]*\]|[^@:/?#\[\],]*)(?::\d*)?"
_HEAD = re.compile(
    rf"(?:(?P<login>.*)@)?(?P<hosts>{_HOST}(?:,{_HOST})*)(?:/(?P<dbname>[^/@?]*))?"
)
_QUERY = re.compile(r"\?(?=[A-Za-z_][\w.-]*=|$)")
_KNOWN = PLACES | OF_SOURCES.keys() | OURS | {"service"}
_SHOWN = re.compile(r"[A-Za-z][\w.-]{0,40}")


@dataclass(frozen=True)
class LiveUrl:
    """A source's URL, taken apart."""

    connection: Connection
    dropped: tuple[str, ...]
    """The options that libpq does not know: they were left out."""


def read(url: str, origin: str, shell: Shell | None = None) -> LiveUrl:
    """Take apart a source's URL. Raises BadUrl, whose message does not repeat it."""
    shell = shell or Local()
    head, query = _parted(without_driver(url, origin).partition("://")[2], origin)
    options = with_sslmode(_pairs(query))
    given = _of_head(head) | {name: value for name, value in options.items() if value}
    if name := given.pop("service", ""):
        given = service.read(name, shell.environ, origin) | given
    dropped = tuple(
        name if "@" not in query and _SHOWN.fullmatch(name) else "an option"
        for name in given
        if name not in _KNOWN
    )
    return LiveUrl(_placed(given, origin, shell), dropped)


def through_tunnel(connection: Connection, port: int) -> Connection:
    """The connection by a port of this machine; the host stays the name for TLS.

    Messages name the server, not the port.
    """
    host = "" if connection.is_socket else connection.host.partition(",")[0]
    here = {"hostaddr": "127.0.0.1", "port": str(port)}
    options = tuple((dict(connection.options) | here).items())
    return replace(connection, host=host, options=options)


def _parted(text: str, origin: str) -> tuple[re.Match[str], str]:
    """A URL's part before its query, taken apart; and the query."""
    for mark in _QUERY.finditer(text):
        head, query = text[: mark.start()], text[mark.end() :]
        found = _HEAD.fullmatch(head)
        if found and ("@" not in query or _holds_at(head, query)):
            return found, query
    if found := _HEAD.fullmatch(text):
        return found, ""
    raise BadUrl(origin, "its host, port or database's name is malformed")


def _holds_at(head: str, query: str) -> bool:
    """Whether the query of a URL may hold an @: else the ? belongs to the password.

    So it does in u:1?a=b@h, and in u:1@2/3?a=b@h.
    """
    names = {pair.partition("=")[0] for pair in query.split("&") if "@" in pair}
    return ("@" in head or "/" in head) and names <= _KNOWN


def _of_head(head: re.Match[str]) -> dict[str, str]:
    """What stands before a URL's query, by libpq's names; without what is empty."""
    user, _, password = (head["login"] or "").partition(":")
    places = [_host_and_port(place) for place in head["hosts"].split(",")]
    ports = [port for _, port in places]
    given = {
        "host": ",".join(host for host, _ in places),
        "port": ",".join(ports) if any(ports) else "",
        "user": user,
        "password": password,
        "dbname": head["dbname"] or "",
    }
    return {name: _decoded(value) for name, value in given.items() if value}


def _host_and_port(place: str) -> tuple[str, str]:
    if place.startswith("["):  # an IPv6 address
        host, _, port = place[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = place.partition(":")
    return host, port


def _placed(given: dict[str, str], origin: str, shell: Shell) -> Connection:
    """The connection by libpq's names and values."""
    options = {name: given[name] for name in OF_SOURCES if name in given}
    place = dict.fromkeys(PLACES - {"hostaddr"}, "") | given
    if not place["host"]:
        place["host"] = options.pop("hostaddr", "")
    ports = place["port"].split(",")
    options.pop("port", None)
    if len(set(ports)) > 1:
        options["port"] = ",".join(port or "5432" for port in ports)
    place["port"] = ports[0]
    place.pop("hostaddr", None)
    return Connection.placed(place, options, origin, None, shell)


def _pairs(query: str) -> dict[str, str]:
    """A query's options; a + is literal, as in libpq."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {_decoded(name): _decoded(value) for name, _, value in pairs}


def _decoded(text: str) -> str:
    """A text without percent-encoding; a % that begins no valid one is literal."""
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        return text
