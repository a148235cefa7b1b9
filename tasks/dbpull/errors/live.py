"""Errors about a running server as a source, and remedies for what it says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dbpull.errors import PullError
from dbpull.errors.postgres import CannotConnect
from dbpull.errors.remedies import remedy_for
from dbpull.errors.sources import SourceInterrupted
from dbpull.naming import setting


class LiveError(PullError):
    """A running server can't be dumped."""


class DumpFailed(LiveError):
    """A pg_dump has failed that had been started."""

    midway = True


_EXTRA = 'the extra `tls` (pip install -e "../dbpull[tls]"), or '
INSTALL_TLS = (
    f"{_EXTRA if sys.version_info >= (3, 12) else ''}PostgreSQL's own client programs"
    " (Debian, Ubuntu: apt install postgresql-client; macOS: brew install libpq)"
)
"""What brings programs with TLS; the extra's package needs Python 3.12."""
REPLICA = (
    "The server is a replica, and replayed what our reading was in the way of. Let its"
    " owner raise max_standby_streaming_delay or set hot_standby_feedback = on there;"
    " or name the primary."
)
_INTERRUPTED = r"conflict with recovery"
_REMEDIES = (
    (_INTERRUPTED, REPLICA),
    (
        r"server version mismatch",
        "Install pg_dump of the server's major or newer (Debian, Ubuntu: apt install"
        " postgresql-client from PostgreSQL's own repository; macOS: brew install"
        " libpq).",
    ),
    (
        r"no encryption|SSL off|SSL (?:connection )?is required|connection is insecure"
        r"|SSL support is not compiled in",
        f"The server asks for TLS, which the embedded programs lack: install"
        f" {INSTALL_TLS}; and let the URL say sslmode=require or more.",
    ),
    (
        r"(?=.*\.supabase\.co\b)(?=.*(?:is unreachable|No route|could not translate))",
        "That host has an IPv6 address only: name Supabase's session pooler, on port"
        " 5432 of its pooler's host.",
    ),
    (
        r"server does not support SSL",
        "That server has no TLS: leave sslmode out of the URL where the network is safe"
        " without.",
    ),
    (
        r"certificate verify failed|root certificate file|server certificate",
        "Name the file of the provider's certificate authority (sslrootcert=FILE in the"
        " URL); for a public one sslrootcert=system, which PostgreSQL 16's programs and"
        " newer know.",
    ),
    (
        r"password authentication failed|no password supplied|PAM authentication"
        r"|SCRAM|authentication failed",
        "See that user and password of the URL are right, or that ~/.pgpass has them. A"
        f" token may be too old (RDS's live for 15 minutes): let {setting('sources')}"
        " have a `password: $(command)`, which is asked anew each time.",
    ),
    (
        r"row-level security",
        "Let a superuser run ALTER ROLE … BYPASSRLS for that role, or name another: a"
        " dump without the hidden rows would be a silent partial copy.",
    ),
    (
        r"permission denied for large object",
        "Let a superuser run GRANT SELECT ON LARGE OBJECT for each of them, or name the"
        " role that owns them.",
    ),
    (
        r"permission denied",
        "Let its owner run GRANT pg_read_all_data TO that role (PostgreSQL 14 or"
        " newer); else GRANT SELECT ON it, and USAGE ON its SCHEMA.",
    ),
    (
        r"due to (?:statement|lock) timeout",
        "Somebody holds a lock on a table, a migration perhaps: production does not"
        " wait for us longer than 30 s. Try again when it has ended.",
    ),
    (
        r"could not obtain lock on relation",
        "Somebody asked for that table meanwhile, a migration perhaps: try again.",
    ),
    (
        r"remaining connection slots|too many connections|too many clients"
        r"|max client connections|no more connections allowed",
        "The server has no session left for us: try again later, or with a role that"
        " has some in reserve.",
    ),
    (
        r"startup parameter|command-line options",
        "A pooler answered: name the database's direct address.",
    ),
    (
        r"closed the connection unexpectedly|connection has been closed unexpectedly"
        r"|Connection (?:reset|timed out)|EOF detected|terminating connection"
        r"|could not receive data",
        "The connection was cut. A snapshot can't be resumed: run the same command"
        " again, and it starts over.",
    ),
)


def remedy_at_source(cause: str) -> str:
    """The remedy for an error of a source's server, by its words."""
    found = (remedy for words, remedy in _REMEDIES if re.search(words, cause, re.I))
    return (
        next(found, "")
        or remedy_for(cause)
        or "See that the server runs, and that the source's host, port, user, password"
        " and database are right (`psql` with the same URL shows it)."
    )


@contextmanager
def told_of_source() -> Iterator[None]:
    """Give an error of connecting the remedy for a source, instead of a target."""
    try:
        yield
    except CannotConnect as error:
        remedy = remedy_at_source(error.cause)
        raise CannotConnect(error.label, error.cause, remedy) from None


def dump_failed(
    label: str, cause: str, said: str = "", lock_holders: Sequence[str] = ()
) -> PullError:
    """The error of a pg_dump by the cause that it gives, and by all that it said.

    It is SourceInterrupted where pg_dump may succeed if started anew.
    """
    said = said or cause
    kind = SourceInterrupted if re.search(_INTERRUPTED, said) else DumpFailed
    held = f" Locks are held by {', '.join(lock_holders)}." if lock_holders else ""
    return kind(f"Dumping {label} failed: {cause}.{held}", remedy_at_source(said))
