"""Other clients' sessions on the databases that are to be replaced."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from contextlib import suppress

from dbpull.errors.postgres import SqlFailed
from dbpull.errors.target import StillConnected
from dbpull.postgres.psql import Psql
from dbpull.target.state import State

PATIENCE = 5.0
"""Seconds that a session has to end after pg_terminate_backend."""
# The type of a session that this role may not see is null; autovacuum has no user.
CLIENTS = "coalesce(backend_type, 'client backend') = 'client backend' AND usesysid > 0"
NAMED = "datname IN (SELECT json_array_elements_text(:'dbnames'))"
# A session on another database may hold a lock on ours: an uncommitted ALTER DATABASE.
_SESSIONS = """
SELECT coalesce(string_agg(DISTINCT coalesce(nullif(application_name, ''), 'a program')
       || ' of ' || coalesce(usename, 'the server'), ', '), '')
FROM pg_stat_activity
WHERE {clients} AND pid <> pg_backend_pid() AND ({named}
  OR pid IN (SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = objid
             WHERE locktype = 'object' AND classid = 'pg_database'::regclass
               AND {named}));
"""
_END = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE {named} AND pid <> pg_backend_pid() AND {clients};
"""


def listed(dbnames: Collection[str]) -> str:
    """Database names as JSON, the form that the SQL of NAMED reads.

    Without escapes: a server with the encoding SQL_ASCII reads none beyond ASCII.
    """
    return json.dumps(list(dbnames), ensure_ascii=False)


def connected(psql: Psql, state: State, dbnames: Collection[str]) -> str:
    """The clients connected to any of these databases, in words; "" for none."""
    return _run(psql, state, dbnames, _SESSIONS, "Asking who is connected")[0][0]


def end(psql: Psql, state: State, dbname: str) -> None:
    """End the sessions on a database: a table in use could not be dropped.

    Raises StillConnected where this role may not end a session.
    """
    deadline = time.monotonic() + PATIENCE
    with suppress(SqlFailed):  # this role may not end every session
        _run(psql, state, [dbname], _END, "Ending the target's sessions")
    while clients := connected(psql, state, [dbname]):
        if time.monotonic() > deadline:
            raise StillConnected(psql.connection.label, clients)
        time.sleep(0.1)


def _run(
    psql: Psql, state: State, dbnames: Collection[str], sql: str, doing: str
) -> list[list[str]]:
    return psql.run(
        sql.format(clients=CLIENTS, named=NAMED),
        doing=doing,
        dbname=state.maintenance,
        dbnames=listed(dbnames),
    )
