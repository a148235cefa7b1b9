"""The moment itself: renames in one transaction; and the way back."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

from dbpull.errors.postgres import SqlFailed
from dbpull.errors.target import LockLost, NoPrevious, StillConnected
from dbpull.postgres.psql import Psql
from dbpull.target.names import Names
from dbpull.target.provenance import unfinished
from dbpull.target.sessions import CLIENTS, connected
from dbpull.target.state import State

TRIES = 5
# A rename needs the database to itself. While it waits (5 seconds, procarray.c's
# CountOtherDBBackends) it holds the lock that keeps new sessions out.
_TRANSACTION = """
{before}
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname IN (:'target', :'aside', :'previous') AND pid <> pg_backend_pid()
  AND {clients} \\g /dev/null
BEGIN;
{statements}
{after}
COMMIT;
"""
# Whether the database of a name is the one that we have built; else nothing is done.
_OURS = """
SELECT count(*) = 1 AS ours FROM pg_database WHERE datname = :'{name}' AND oid = :'oid'
\\gset
\\if :ours
\\else
  \\echo lost
  \\quit
\\endif
"""
_MOVE = """
SELECT format('ALTER DATABASE %I RENAME TO %I', :'{old}', :'{new}')
{where} \\gexec
"""
# Marked before it is moved: a database that is not ours but has the name is neither.
_DISMISS = """
SELECT format('COMMENT ON DATABASE %I IS %L', datname, :'mark') FROM pg_database
WHERE datname = :'{old}' AND {ours} \\gexec
SELECT format('ALTER DATABASE %I RENAME TO %I', datname, :'discarded')
FROM pg_database
WHERE datname = :'{old}' AND shobj_description(oid, 'pg_database') = :'mark' \\gexec
"""
# Without a target to take its place, the previous one is the only one there is.
_OLD_PREVIOUS = """shobj_description(oid, 'pg_database') LIKE '%"previous_of"%'
  AND EXISTS (SELECT FROM pg_database WHERE datname = :'target')"""
# A replaced database is marked as ours to drop one day; its own comment waits inside.
_KEEP = """
SELECT format('COMMENT ON DATABASE %I IS %L', datname, json_build_object('dbpull',
    json_build_object('previous_of', :'target'::text,
                      'comment', shobj_description(oid, 'pg_database'))))
FROM pg_database WHERE datname = :'previous' \\gexec
"""
_UNPACK = """
SELECT format('COMMENT ON DATABASE %I IS %s', datname, coalesce(quote_literal(
    shobj_description(oid, 'pg_database')::json #>> '{dbpull,comment}'), 'NULL'))
FROM pg_database WHERE datname = :'target' \\gexec
"""
_COMMENT = """
SELECT format('COMMENT ON DATABASE %I IS %L', :'target', :'comment') \\gexec
"""
_DISCARD = """
SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname) FROM pg_database
WHERE datistemplate AND ({which}) \\gexec
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
WHERE {which} \\gexec
"""


_UNWANTED = """
datname = :'discarded' AND shobj_description(oid, 'pg_database') = :'mark'
OR datname = :'unwanted'
  AND shobj_description(oid, 'pg_database') LIKE '%"previous_of"%'
"""


@dataclass(frozen=True)
class Swap:
    """Puts a built database in the target's place."""

    psql: Psql
    state: State
    names: Names

    def to_new(self, oid: str, *, comment: str, keep_previous: bool) -> None:
        """Replace the target by the aside database of that oid, with its provenance.

        Raises StillConnected where sessions on the target can't be ended, and LockLost
        where another database has taken the aside one's name.
        """
        if keep_previous:
            away = [_DISMISS.format(old="previous", ours=_OLD_PREVIOUS)]
            away += [_if_there("target", "previous"), _KEEP]
        else:
            away = [_DISMISS.format(old="target", ours="true")]
        self._rename(
            *away, _move("aside", "target"), _COMMENT, oid=oid, comment=comment
        )

    def record(self, comment: str) -> None:
        """Write down where the target's rows came from, where we may."""
        with suppress(SqlFailed):
            self._run(_COMMENT, "Recording where the rows came from", comment=comment)

    def discard(self, *, keep_previous: bool) -> None:
        """Drop what the swap took out of use; what a failure leaves can wait."""
        self._run(
            _DISCARD.format(which=_UNWANTED),
            "Dropping what was replaced before",
            mark=unfinished(self.names.target),
            unwanted="" if keep_previous else self.names.previous,
        )

    def to_previous(self) -> None:
        """Bring the previous database back; what was current becomes previous.

        Raises NoPrevious, StillConnected.
        """
        if not self.state.previous:
            raise NoPrevious(self.psql.connection.label)
        self._rename(
            _if_there("target", "between"),
            _move("previous", "target"),
            _UNPACK,
            _if_there("between", "previous"),
            _KEEP,
        )

    def _rename(self, *statements: str, oid: str = "", **more: str) -> None:
        """Rename in one transaction, ending the sessions that are in the way."""
        sql = _TRANSACTION.format(
            before=_OURS.format(name="aside") if oid else "",
            clients=CLIENTS,
            statements="".join(statements),
            after=_OURS.format(name="target") if oid else "",
        )
        mark = unfinished(self.names.target)
        for attempt in range(1, TRIES + 1):
            try:
                rows = self._run(sql, "Swapping", mark=mark, oid=oid, **more)
            except SqlFailed:
                if attempt < TRIES:
                    time.sleep(0.2 * attempt)
                elif sessions := connected(self.psql, self.state, self.names):
                    label = self.psql.connection.label
                    raise StillConnected(label, sessions) from None
                else:
                    raise
            else:
                if rows:  # \echo lost
                    raise LockLost(self.psql.connection.label)
                return

    def _run(self, sql: str, doing: str, **more: str) -> list[list[str]]:
        return self.psql.run(
            sql,
            doing=doing,
            dbname=self.state.maintenance,
            target=self.names.target,
            aside=self.names.aside,
            previous=self.names.previous,
            discarded=self.names.discarded,
            between=self.names.between,
            **more,
        )


def _move(old: str, new: str) -> str:
    return _MOVE.format(old=old, new=new, where="")


def _if_there(old: str, new: str) -> str:
    there = f"WHERE EXISTS (SELECT FROM pg_database WHERE datname = :'{old}')"
    return _MOVE.format(old=old, new=new, where=there)
