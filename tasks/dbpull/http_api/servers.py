"""The server and name of a database, from a URL whose secrets are dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

# The last @ ends the password: a password set by hand may hold any character, and no
# part of the password may get into the host or the name.
_URL = re.compile(
    r"postgres(?:ql)?://(?:.*@)?(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?/(?P<dbname>[^/?#@:]+)(?:\?.*)?",
    re.DOTALL,
)


@dataclass(frozen=True)
class ServerAddress:
    """A database's address: no user, no password."""

    host: str
    port: int
    dbname: str

    @classmethod
    def of(cls, url: object) -> ServerAddress | None:
        """The server in a `postgres://user:password@host:port/dbname` URL.

        None for any other text. Percent-encoding is decoded.
        """
        match = _URL.fullmatch(url) if isinstance(url, str) else None
        if match is None:
            return None
        return cls(
            host=match["host"].strip("[]").lower(),
            port=int(match["port"] or 5432),
            dbname=unquote(match["dbname"]),
        )
