"""Other clients' sessions on the databases that are to be replaced."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from contextlib import suppress

from dbpull.errors.postgres import SqlFailed
from dbpull.errors.target import StillConnected
from dbpull.postgres.psql import Psql

PATIENCE = 5.0
"""Seconds that a session has to end after pg_terminate_backend."""
# The type of a session that this role may not see is null; autovacuum has no user.
_CLIENTS = """pid <> pg_backend_pid() AND usesysid > 0
  AND coalesce(backend_type, 'client backend') = 'client backend'"""
_NAMED = "datname IN (SELECT json_array_elements_text(:'dbnames'))"
# A session on another database may hold a lock on ours: an uncommitted ALTER DATABASE.
_SESSIONS = f"""
SELECT coalesce(string_agg(DISTINCT coalesce(nullif(application_name, ''), 'a program')
       || ' of ' || coalesce(usename, 'the server'), ', '), '')
FROM pg_stat_activity
WHERE {_CLIENTS} AND ({_NAMED}
  OR pid IN (SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = objid
             WHERE locktype = 'object' AND classid = 'pg_database'::regclass
               AND {_NAMED}));
"""  # noqa: S608 - of constants
END = f"""
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE {_NAMED} AND {_CLIENTS}
"""  # noqa: S608 - of constants
"""The query that ends the sessions on the databases of :'dbnames'."""


def listed(dbnames: Collection[str]) -> str:
    """Database names as JSON, the form that our SQL reads.

    Without escapes: a server with the encoding SQL_ASCII reads none beyond ASCII.
    """
    return json.dumps(list(dbnames), ensure_ascii=False)


def connected(psql: Psql, dbnames: Collection[str]) -> str:
    """The clients connected to any of these databases, in words; "" for none."""
    doing = "Querying the sessions"
    return psql.run(_SESSIONS, doing=doing, dbnames=listed(dbnames))[0][0]


def end(psql: Psql, dbname: str) -> None:
    """End the sessions on a database: a table in use could not be dropped.

    Raises StillConnected where this role may not end a session.
    """
    deadline = time.monotonic() + PATIENCE
    with suppress(SqlFailed):  # this role may not end every session
        psql.run(
            f"{END};", doing="Ending the target's sessions", dbnames=listed([dbname])
        )
    while clients := connected(psql, [dbname]):
        if time.monotonic() > deadline:
            raise StillConnected(psql.connection.label, clients)
        time.sleep(0.1)
