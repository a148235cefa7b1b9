"""Holders of a database: prepared transactions, subscriptions, slots, workers.

They keep a database from being renamed or dropped, and are no client's sessions.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from dbpull.errors.target import HeldOpen
from dbpull.postgres.psql import Psql
from dbpull.target.sessions import listed
from dbpull.target.state import State

# The processes that CountOtherDBBackends (procarray.c) counts and we don't end. It ends
# autovacuum itself; parallel workers end with the session that they work for.
_OPEN = """
SELECT coalesce(json_agg(json_build_object('dbname', datname, 'what', what,
  'remedy', remedy, 'locks', locks) ORDER BY datname, what), '[]') FROM (
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
) open WHERE datname IN (SELECT json_array_elements_text(:'dbnames'));
"""
# What else makes DROP DATABASE refuse (dbcommands.c, dropdb).
_UNDROPPABLE = """
SELECT coalesce(json_agg(json_build_object('dbname', datname, 'what', what,
  'remedy', remedy, 'locks', false) ORDER BY what), '[]') FROM (
  SELECT datname, format('the subscription %I', subname) AS what,
    format('`ALTER SUBSCRIPTION %1$I DISABLE; ALTER SUBSCRIPTION %1$I SET'
           ' (slot_name = NONE); DROP SUBSCRIPTION %1$I`, in %2$I, removes it',
           subname, datname) AS remedy
  FROM pg_subscription JOIN pg_database d ON d.oid = subdbid
) kept WHERE datname IN (SELECT json_array_elements_text(:'dbnames'));
"""


@dataclass(frozen=True)
class Holder:
    """A holder of a database, in words, and the remedy that ends it."""

    dbname: str
    what: str
    remedy: str
    locks: bool
    """Whether the holder may keep locks on tables until it is ended."""


def undroppable(psql: Psql, state: State, dbname: str) -> list[Holder]:
    """The holders that keep a database from being dropped.

    Raises CannotConnect, SqlFailed.
    """
    found = _query(psql, state, _UNDROPPABLE, [dbname])
    return found or _query(psql, state, _OPEN, [dbname])


def refuse_held_open(psql: Psql, state: State, dbnames: Collection[str]) -> None:
    """Raise HeldOpen where one of these databases could not be renamed."""
    _refuse(psql, _query(psql, state, _OPEN, dbnames))


def refuse_locked(psql: Psql, state: State, dbname: str) -> None:
    """Raise HeldOpen where locks on a database's tables will not go by themselves."""
    holders = _query(psql, state, _OPEN, [dbname])
    _refuse(psql, [holder for holder in holders if holder.locks])


def _refuse(psql: Psql, holders: list[Holder]) -> None:
    if holders:
        worded = [(holder.dbname, holder.what, holder.remedy) for holder in holders]
        raise HeldOpen(psql.connection.label, worded)


def _query(
    psql: Psql, state: State, sql: str, dbnames: Collection[str]
) -> list[Holder]:
    rows = psql.run(
        sql,
        doing="Looking at what holds it open",
        dbname=state.maintenance,
        dbnames=listed(dbnames),
    )
    return [Holder(**fields) for fields in json.loads(rows[0][0])]
