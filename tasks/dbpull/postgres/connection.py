"""A database's connection, from a URL, and the environment that gives it to libpq."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from dbpull.errors.postgres import BadUrl
from dbpull.postgres.restricted import pgoptions
from dbpull.postgres.scheme import without_driver
from dbpull.postgres.variables import IGNORED, OF_SOURCES, OF_TARGETS, PLACES
from dbpull.shell import Shell
from dbpull.shell.local import Local

CONNECT = 30
"""Seconds for a server to answer: TCP sends a lost packet again after 1, 3, 7, 15 s."""
_SOCKET_FOLDERS = ("/var/run/postgresql", "/run/postgresql", "/tmp")  # noqa: S108


@dataclass(frozen=True)
class Connection:
    """A database's server, name and role.

    `host` is a name, an address or a socket's folder ("" for libpq's default, where
    no server was found). PGHOST and PGPORT are already part of `host` and `port`, so
    that programs connect to the server that was judged.
    """

    host: str
    port: int
    user: str
    dbname: str
    password: str = field(default="", repr=False)
    options: tuple[tuple[str, str], ...] = ()
    seen_from: str = field(default="this machine", compare=False)
    """The machine whose programs connect to the database."""
    may_set: frozenset[str] = field(default=frozenset(), compare=False)
    """The settings of RESTRICTED that our role may set on that server."""
    inherits: bool = field(default=True, compare=False)
    """Whether the user's own PG* variables count where the URL says nothing."""
    takes_options: bool = field(default=True, compare=False)
    """Whether the server takes settings of a session: some poolers refuse them."""

    @classmethod
    def from_url(
        cls,
        url: str,
        origin: str,
        environ: Mapping[str, str] | None = None,
        shell: Shell | None = None,
    ) -> Connection:
        """Take apart a libpq URL (PostgreSQL's documentation, 34.1.1.2).

        The URL is read as on the machine of `shell`, else on this one. Raises BadUrl,
        whose message does not repeat the URL.
        """
        shell = shell or Local()
        environ = shell.environ if environ is None else environ
        url = without_driver(url, origin)
        try:
            parts = urlsplit(url)
        except ValueError:  # the error's text may hold the password
            raise BadUrl(origin, "its host is malformed") from None
        _refuse_unencoded(parts, origin)
        # libpq reads a + literally, not as a space.
        pairs = parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True)
        query = with_sslmode(dict(pairs))
        _refuse_unknown(query, origin, shown="@" not in parts.query)
        host, port = _host_and_port(parts.netloc)
        given = {
            "host": _decoded(host, origin),
            "port": port,
            "user": _decoded(parts.username or "", origin),
            "password": _decoded(parts.password or "", origin),
            "dbname": _decoded(parts.path.removeprefix("/"), origin),
        }
        given |= {name: query[name] for name in PLACES & set(query)}
        return cls.placed(given, query, origin, environ, shell)

    @classmethod
    def placed(
        cls,
        given: Mapping[str, str],
        query: Mapping[str, str],
        origin: str,
        environ: Mapping[str, str] | None,
        shell: Shell,
    ) -> Connection:
        """The connection by a URL's parts and options. Raises BadUrl.

        Without `environ` it is a source's: several hosts are taken, and the user's own
        variables do not count.
        """
        inherits, environ = environ is not None, environ or {}
        host = given.get("hostaddr") or given["host"]
        host = host or environ.get("PGHOSTADDR") or environ.get("PGHOST") or ""
        port = given["port"] or environ.get("PGPORT") or "5432"
        user = given["user"] or environ.get("PGUSER") or shell.login
        if (inherits and "," in host) or "," in port:
            raise BadUrl(origin, "it names several hosts")
        if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
            raise BadUrl(origin, "its port is not a number from 1 to 65535")
        dbname = given["dbname"] or environ.get("PGDATABASE") or ""
        if not dbname:
            raise BadUrl(origin, "it names no database")
        if any("\0" in value for value in given.values()):
            raise BadUrl(origin, "it holds a zero byte")
        if any("\ud800" <= char <= "\udfff" for char in "".join(given.values())):
            raise BadUrl(origin, "it is not UTF-8")
        if len(dbname.encode()) > 63:
            raise BadUrl(origin, "its database's name is longer than 63 bytes")
        host = host or _usual_socket(port, shell)
        known = OF_TARGETS if inherits else OF_SOURCES
        options = tuple((key, query[key]) for key in known if key in query)
        place = (host, int(port), user, dbname, given["password"], options)
        return cls(*place, seen_from=shell.where, inherits=inherits)

    @property
    def is_socket(self) -> bool:
        """Whether the server is reached through a socket of its machine."""
        return not self.host or self.host.startswith(("/", "@"))

    @property
    def label(self) -> str:
        """The database's name in messages: without password and user."""
        place = self.host
        if self.is_socket or (self.seen_from != "this machine" and is_here(self.host)):
            place = self.seen_from
        port = f":{self.port}" if self.port != 5432 else ""
        return f"{self.dbname} on {place}{port}"

    @property
    def url(self) -> str:
        """The database's URL, with its password, for libpq and other programs."""
        password = f":{quote(self.password, safe='')}" if self.password else ""
        place = f"postgres://{quote(self.user, safe='')}{password}@"
        options = list(self.options)
        if self.is_socket:
            at = [("host", self.host)] if self.host else []
            options = [*at, ("port", str(self.port)), *options]
        else:
            host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe="")
            place += f"{host}:{self.port}"
        query = f"?{urlencode(options, safe='/', quote_via=quote)}" if options else ""
        return f"{place}/{quote(self.dbname, safe='')}{query}"

    def to(self, dbname: str) -> Connection:
        """The connection to another database, with the same server and role."""
        return replace(self, dbname=dbname)

    def environment(
        self, environ: Mapping[str, str] = os.environ, options: str = ""
    ) -> dict[str, str]:
        """A client program's environment: our PG* variables instead of the user's.

        `options` are more settings for its sessions, in the form of PGOPTIONS.
        """
        inherited = {"PGPASSFILE"}
        if self.inherits:
            inherited |= {"PGPASSWORD", *OF_TARGETS.values()}
        kept = {
            name: value
            for name, value in environ.items()
            if not name.startswith("PG") or name in inherited
        }
        ours = {
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGDATABASE": self.dbname,
            "PGAPPNAME": "dbpull",
            "PGCONNECT_TIMEOUT": str(CONNECT),
            "PGCLIENTENCODING": "UTF8",
            "LC_ALL": "C",  # we read the messages
        }
        given = dict(self.options)
        written = [given.pop("options", ""), options if self.takes_options else ""]
        ours |= pgoptions(self.may_set, " ".join(filter(None, written)))
        if self.host:
            ours["PGHOST"] = self.host
        if self.password:
            ours["PGPASSWORD"] = self.password
        return kept | ours | {OF_SOURCES[key]: value for key, value in given.items()}

    @property
    def argument(self) -> str:
        """The database for `-d`, as a conninfo if its name looks like a conninfo."""
        if "=" not in self.dbname and "://" not in self.dbname:
            return self.dbname
        escaped = self.dbname.replace("\\", "\\\\").replace("'", "\\'")
        return f"dbname='{escaped}'"


def _host_and_port(netloc: str) -> tuple[str, str]:
    """Host and port as written: urlsplit would lower-case a socket's folder."""
    place = netloc.rpartition("@")[2]
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        return host, port.removeprefix(":")
    host, colon, port = place.rpartition(":")
    return (host, port) if colon else (place, "")


def _decoded(text: str, origin: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise BadUrl(origin, "its percent-encoded bytes are not UTF-8") from None


def is_here(host: str) -> bool:
    """Whether a server is on the machine itself: a socket, or a loopback address."""
    if not host or host.startswith(("/", "@")) or host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _usual_socket(port: str, shell: Shell) -> str:
    """The folder of a server's socket: each libpq is built with its own default."""
    for folder in _SOCKET_FOLDERS:
        if shell.exists(f"{folder}/.s.PGSQL.{port}"):
            return folder
    return ""


def _refuse_unencoded(parts: SplitResult, origin: str) -> None:
    """Refuse a URL that splits at a password's # / or ?, which would show its end."""
    later = "@" in parts.path or ("@" in parts.query and "@" not in parts.netloc)
    if later or parts.fragment:
        raise BadUrl(origin, "a # / ? or @ in it is not percent-encoded")
    if parts.path.endswith("/") and parts.path != "/":
        raise BadUrl(origin, "its database's name ends in a /: leave that out")


def with_sslmode(query: dict[str, str]) -> dict[str, str]:
    """The query with `ssl`, of asyncpg and JDBC, as libpq's sslmode."""
    given = query.pop("ssl", None)
    if given is None:
        return query
    mode = {"true": "require", "false": "disable"}.get(given.lower(), given)
    return {"sslmode": mode} | query


def _refuse_unknown(query: Mapping[str, str], origin: str, *, shown: bool) -> None:
    """Refuse unknown options; `shown` names them: they are no part of a password."""
    for name in query:
        if name not in OF_TARGETS.keys() | PLACES | IGNORED:
            plain = shown and re.fullmatch(r"[A-Za-z][\w.-]{0,40}", name)
            named = name if plain else "an option"
            raise BadUrl(origin, f"{named} is not supported in it")
