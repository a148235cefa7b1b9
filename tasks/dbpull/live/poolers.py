"""Connection poolers in front of a source, found out by asking before a dump.

A dump through a transaction pooler usually succeeds, but its sessions are the app's
own: settings of ours stay with the app, and a snapshot may be another session's.
"""

from __future__ import annotations

import re
import threading
from dataclasses import replace

from dbpull.errors.live import LiveError
from dbpull.errors.postgres import CannotConnect
from dbpull.postgres.connection import CONNECT, Connection
from dbpull.postgres.psql import Psql, cause
from dbpull.shell import Dialogue

_PATIENCE = CONNECT + 5.0
"""Seconds for a session's answer: a pooler without a free connection lets us wait."""
_REFUSES_OPTIONS = re.compile(
    r"unsupported startup parameter|command-line options", re.IGNORECASE
)
_PID = "SELECT pg_backend_pid();\n"
_WITHIN = f"BEGIN\\; {_PID}"
"""The same in a transaction that goes on."""
_DIRECT = (
    (r"(ep-[^.]+)-pooler(\..*neon\.tech)", 0, r"\1\2", 0),
    (r"(.*\.pooler\.supabase\.com)", 6543, r"\1", 5432),
    (r"pgbouncer\.(.*\.flympg\.net)", 0, r"direct.\1", 0),
    (r"(.*\.ondigitalocean\.com)", 25061, r"\1", 25060),
    (r"(.*\.postgresbridge\.com)", 5431, r"\1", 5432),
    (r"(.*)", 6432, r"\1", 5432),  # PlanetScale's, and PgBouncer's usual port
)
"""Poolers' hosts and ports (0: any), and the direct ones (0: the same)."""
_ELSEWHERE = (
    (
        r".*\.proxy-[^.]+\..*\.rds\.amazonaws\.com",
        "the endpoint of the instance or cluster, instead of RDS Proxy's",
    ),
    (r".*\.rlwy\.net", "the URL in Railway's DATABASE_PUBLIC_UNPOOLED_URL"),
)
"""Poolers' hosts, and where the direct address is found."""


def direct(connection: Connection) -> str:
    """The direct address behind a pooler, as half a sentence; "" where unknown."""
    host, port = connection.host, connection.port
    for pattern, pooled, known, known_port in _DIRECT:
        if pooled in {0, port} and (found := re.fullmatch(pattern, host)):
            return f"{found.expand(known)}:{known_port or port}"
    where = (said for pattern, said in _ELSEWHERE if re.fullmatch(pattern, host))
    return next(where, "")


def refuse_pooler(psql: Psql) -> Psql:
    """Refuse a transaction pooler; psql as the server takes it.

    Where settings of a session are refused, the psql returned passes none. Raises
    LiveError, CannotConnect.
    """
    try:
        _compare_sessions(psql)
    except CannotConnect as error:
        if not _REFUSES_OPTIONS.search(error.cause):
            raise
        bare = replace(psql.connection, takes_options=False)
        psql = replace(psql, connection=bare)
        _compare_sessions(psql)
    return psql


def _compare_sessions(psql: Psql) -> None:
    """Refuse a server where one of two sessions changes with a transaction.

    A pooler with one connection to spare gives both the same, or lets one wait; with
    two in turn, the second session changes, and with more of them the first does.
    """
    connection = psql.connection
    with (
        psql.conversation(name="dbpull") as one,
        psql.conversation(name="dbpull") as other,
    ):
        first = _answer(one, _PID, connection)
        second = _answer(other, _WITHIN, connection)
        if (
            first == second
            or _answer(one, _PID, connection) != first
            or _answer(other, f"COMMIT;\n{_WITHIN}", connection) != second
        ):
            raise _refusal(connection)


def _answer(session: Dialogue, sql: str, connection: Connection) -> str:
    """A session's line of answer. Raises CannotConnect, LiveError."""
    answers: list[str] = []
    asking = threading.Thread(
        target=lambda: answers.append(session.query(sql).strip()), daemon=True
    )
    asking.start()
    asking.join(_PATIENCE)
    if not answers:
        raise LiveError(
            f"{connection.label} gave no session within {_PATIENCE:.0f} s.",
            "A pooler's connections may all be taken: try again later, or name"
            f" {direct(connection) or 'the direct address'}.",
        )
    if not answers[0]:
        reason = cause(session.last_words())
        if "statement pooling" in reason:
            raise _refusal(connection)
        raise CannotConnect(connection.label, reason)
    return answers[0]


def _refusal(connection: Connection) -> LiveError:
    known = direct(connection)
    return LiveError(
        f"{connection.label} is a transaction pooler, whose sessions change with each"
        " transaction: nothing was dumped.",
        f"Name the direct address: {known}."
        if known
        else "Name the database's direct address, or a pooler in session mode.",
    )
