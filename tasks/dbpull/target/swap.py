"""The moment itself: renames in one transaction; and the way back."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

from dbpull.errors.postgres import SqlFailed
from dbpull.errors.target import NoPrevious, StillConnected
from dbpull.postgres.psql import Psql
from dbpull.target.aside import drop
from dbpull.target.names import Names
from dbpull.target.provenance import unfinished
from dbpull.target.state import State

TRIES = 5
# Of a session that is not ours to see the type is null; autovacuum has no user.
_CLIENTS = (
    "coalesce(backend_type, 'client backend') = 'client backend' AND usesysid > 0"
)
# A rename needs the database to itself. While it waits (5 seconds, procarray.c's
# CountOtherDBBackends) it holds the lock that keeps new sessions out.
_TRANSACTION = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname IN (:'target', :'aside', :'previous') AND pid <> pg_backend_pid()
  AND {clients} \\g /dev/null
BEGIN;
{statements}
COMMIT;
"""
_MOVE = """
SELECT format('ALTER DATABASE %I RENAME TO %I', :'{old}', :'{new}')
{where} \\gexec
"""
_MARK = """
SELECT format('COMMENT ON DATABASE %I IS %L', :'discarded', :'mark')
WHERE EXISTS (SELECT FROM pg_database WHERE datname = :'discarded') \\gexec
"""
_COMMENT = """
SELECT format('COMMENT ON DATABASE %I IS %L', :'target', :'comment') \\gexec
"""
_SESSIONS = """
SELECT coalesce(string_agg(DISTINCT coalesce(nullif(application_name, ''), 'a program')
       || ' of ' || coalesce(usename, 'the server'), ', '), '')
FROM pg_stat_activity WHERE datname IN (:'target', :'previous')
  AND {clients};
"""


@dataclass(frozen=True)
class Swap:
    """Puts a built database in the target's place."""

    psql: Psql
    state: State
    names: Names

    def to_new(self, *, comment: str, keep_previous: bool) -> None:
        """Replace the target by the aside database, with its provenance.

        Raises StillConnected where sessions on the target can't be ended.
        """
        if keep_previous:
            away = [_if_there("previous", "discarded"), _MARK]
            away += [_if_there("target", "previous")]
        else:
            away = [_if_there("target", "discarded"), _MARK]
        self._rename(*away, _move("aside", "target"), _COMMENT, comment=comment)

    def record(self, comment: str) -> None:
        """Write down where the target's rows came from, where we may."""
        with suppress(SqlFailed):
            self._run(_COMMENT, "Recording where the rows came from", comment=comment)

    def discard(self, *, keep_previous: bool) -> None:
        """Drop what the swap took out of use; that a failure leaves can wait."""
        drop(self.psql, self.state, self.names.discarded)
        if not keep_previous:
            drop(self.psql, self.state, self.names.previous)

    def to_previous(self) -> None:
        """Bring the previous database back; what was current becomes previous.

        Raises NoPrevious, StillConnected.
        """
        if not self.state.previous:
            raise NoPrevious(self.psql.connection.label)
        self._rename(
            _if_there("target", "discarded"),
            _move("previous", "target"),
            _if_there("discarded", "previous"),
        )

    def _rename(self, *statements: str, **more: str) -> None:
        """Rename in one transaction, ending the sessions that are in the way."""
        sql = _TRANSACTION.format(clients=_CLIENTS, statements="".join(statements))
        for attempt in range(1, TRIES + 1):
            try:
                self._run(sql, "Swapping", mark=unfinished(self.names.target), **more)
            except SqlFailed:
                if attempt < TRIES:
                    time.sleep(0.2 * attempt)
                elif sessions := self._sessions():
                    label = self.psql.connection.label
                    raise StillConnected(label, sessions) from None
                else:
                    raise
            else:
                return

    def _sessions(self) -> str:
        """Who is connected to the databases that are to be renamed."""
        sql = _SESSIONS.format(clients=_CLIENTS)
        return self._run(sql, "Asking who is connected")[0][0]

    def _run(self, sql: str, doing: str, **more: str) -> list[list[str]]:
        return self.psql.run(
            sql,
            doing=doing,
            dbname=self.state.maintenance,
            target=self.names.target,
            aside=self.names.aside,
            previous=self.names.previous,
            discarded=self.names.discarded,
            **more,
        )


def _move(old: str, new: str) -> str:
    return _MOVE.format(old=old, new=new, where="")


def _if_there(old: str, new: str) -> str:
    there = f"WHERE EXISTS (SELECT FROM pg_database WHERE datname = :'{old}')"
    return _MOVE.format(old=old, new=new, where=there)
