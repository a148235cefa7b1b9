"""Holders of a database: prepared transactions, subscriptions, slots, workers.

They keep a database from being renamed or dropped, and are no client's sessions.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from dbpull.postgres.psql import Psql

# The processes that CountOtherDBBackends (procarray.c) counts and we don't end. It ends
# autovacuum itself; parallel workers end with the session that they work for.
OPEN = """
SELECT datname, json_agg(json_build_object('what', what, 'remedy', remedy,
  'locks', locks) ORDER BY what) AS holders FROM (
  SELECT database AS datname, true AS locks,
    format('the prepared transaction %L', gid) AS what,
    format('`ROLLBACK PREPARED %L` (or COMMIT PREPARED), in %I as %I or a superuser,'
           ' ends it', gid, database, owner) AS remedy
  FROM pg_prepared_xacts
UNION ALL
  SELECT a.datname, false,
    CASE WHEN s.subname IS NOT NULL THEN format('the subscription %I', s.subname)
      WHEN r.slot_name IS NOT NULL THEN format(
        'the replication slot %I, which %s reads', r.slot_name,
        coalesce(nullif(a.application_name, ''), 'a program'))
      ELSE concat_ws(' ', a.backend_type, nullif(a.application_name, ''),
        '(pid ' || a.pid || ')') END,
    CASE WHEN s.subname IS NOT NULL
      THEN format('`ALTER SUBSCRIPTION %I DISABLE`, in %I, ends it',
        s.subname, a.datname)
      WHEN r.slot_name IS NOT NULL THEN format('end its reader, or run'
        ' `SELECT pg_terminate_backend(%s)` where it does not come back', a.pid)
      ELSE format('`SELECT pg_terminate_backend(%s)` ends it, as long as what has'
        ' started it does not start it again', a.pid) END
  FROM pg_stat_activity a
  LEFT JOIN pg_stat_subscription s ON s.pid = a.pid
  LEFT JOIN pg_replication_slots r ON r.active_pid = a.pid
  WHERE a.datname IS NOT NULL AND a.pid <> pg_backend_pid()
    AND (a.backend_type NOT IN ('client backend', 'autovacuum worker',
                                'parallel worker')
         OR s.pid IS NOT NULL
         OR a.backend_type IS NULL AND r.slot_name IS NOT NULL)
) open GROUP BY datname
"""
"""SQL: the holders of each database that can't be renamed, as JSON."""
# What else makes DROP DATABASE refuse (dbcommands.c, dropdb).
_UNDROPPABLE = f"""
SELECT holders FROM (
  SELECT 1 AS place, datname, json_agg(json_build_object('what', what,
    'remedy', remedy, 'locks', false) ORDER BY what) AS holders
  FROM (SELECT datname, format('the subscription %I', subname) AS what,
    format('`ALTER SUBSCRIPTION %1$I DISABLE; ALTER SUBSCRIPTION %1$I SET'
           ' (slot_name = NONE); DROP SUBSCRIPTION %1$I`, in %2$I, removes it',
           subname, datname) AS remedy
  FROM pg_subscription JOIN pg_database d ON d.oid = subdbid) kept
  GROUP BY datname
UNION ALL SELECT 2, * FROM ({OPEN}) open
) every WHERE datname = :'name' ORDER BY place LIMIT 1;
"""  # noqa: S608 - of constants


@dataclass(frozen=True)
class Holder:
    """A holder of a database, in words, and the remedy that ends it."""

    what: str
    remedy: str
    locks: bool
    """Whether the holder may keep locks on tables until it is ended."""


def undroppable(psql: Psql, dbname: str) -> list[Holder]:
    """The holders that keep a database from being dropped.

    Raises CannotConnect, SqlFailed.
    """
    rows = psql.run(_UNDROPPABLE, doing="Looking for its holders", name=dbname)
    return [Holder(**fields) for [found] in rows for fields in json.loads(found)]
