"""Who else is connected to the databases that are to be replaced."""

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
"""Seconds that a session gets to end after it was told to."""
# Of a session that is not ours to see the type is null; autovacuum has no user.
CLIENTS = "coalesce(backend_type, 'client backend') = 'client backend' AND usesysid > 0"
NAMED = "datname IN (SELECT json_array_elements_text(:'dbnames'))"
# Those on other databases may hold a lock on ours: an ALTER DATABASE not committed yet.
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
    """Databases as NAMED has them.

    Without escapes: a server whose encoding is SQL_ASCII knows none beyond ASCII.
    """
    return json.dumps(list(dbnames), ensure_ascii=False)


def connected(psql: Psql, state: State, dbnames: Collection[str]) -> str:
    """Who is connected to any of these databases; "" where nobody is."""
    return _run(psql, state, dbnames, _SESSIONS, "Asking who is connected")[0][0]


def end(psql: Psql, state: State, dbname: str) -> None:
    """End the sessions on a database: a table in use could not be dropped.

    Raises StillConnected where some are not ours to end.
    """
    deadline = time.monotonic() + PATIENCE
    with suppress(SqlFailed):  # some may not be ended by this role
        _run(psql, state, [dbname], _END, "Ending the target's sessions")
    while left := connected(psql, state, [dbname]):
        if time.monotonic() > deadline:
            raise StillConnected(psql.connection.label, left)
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
