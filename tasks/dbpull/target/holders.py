"""What keeps a database from being renamed or dropped, and is no client's session."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from dbpull.errors.target import HeldOpen
from dbpull.postgres.psql import Psql
from dbpull.target.sessions import listed
from dbpull.target.state import State

# What CountOtherDBBackends counts (procarray.c) and we don't end: it ends autovacuum
# itself, and parallel workers go with the session that they work for.
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
# What DROP DATABASE refuses beside that (dbcommands.c, dropdb).
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
    """Something that holds a database, in words, and what ends it."""

    dbname: str
    what: str
    remedy: str
    locks: bool
    """Whether it may hold locks on tables for as long as it is there."""


def undroppable(psql: Psql, state: State, dbname: str) -> list[Holder]:
    """What keeps a database from being dropped. Raises CannotConnect, SqlFailed."""
    found = _ask(psql, state, _UNDROPPABLE, [dbname])
    return found or _ask(psql, state, _OPEN, [dbname])


def refuse_held_open(psql: Psql, state: State, dbnames: Collection[str]) -> None:
    """Raise HeldOpen where one of these databases could not be renamed."""
    _refuse(psql, _ask(psql, state, _OPEN, dbnames))


def refuse_locked(psql: Psql, state: State, dbname: str) -> None:
    """Raise HeldOpen where locks on a database's tables will not go by themselves."""
    held = _ask(psql, state, _OPEN, [dbname])
    _refuse(psql, [one for one in held if one.locks])


def _refuse(psql: Psql, held: list[Holder]) -> None:
    if held:
        told = [(one.dbname, one.what, one.remedy) for one in held]
        raise HeldOpen(psql.connection.label, told)


def _ask(psql: Psql, state: State, sql: str, dbnames: Collection[str]) -> list[Holder]:
    rows = psql.run(
        sql,
        doing="Looking at what holds it open",
        dbname=state.maintenance,
        dbnames=listed(dbnames),
    )
    return [Holder(**one) for one in json.loads(rows[0][0])]
