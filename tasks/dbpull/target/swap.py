"""The swap of databases by renames in one transaction, and the swap back."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from dbpull.errors.postgres import SqlFailed
from dbpull.errors.target import LockLost, StillConnected, TargetError
from dbpull.naming import command, setting
from dbpull.postgres.psql import Psql
from dbpull.target.family import Family, Move, look, refuse_held_open
from dbpull.target.member import Member
from dbpull.target.names import Names
from dbpull.target.renames import CHANGED, script, variables
from dbpull.target.sessions import connected
from dbpull.target.state import State

TRIES = 5
_COMMENT = """
SELECT format('COMMENT ON DATABASE %I IS %L', :'target', :'comment') \\gexec
"""


@dataclass(frozen=True)
class Swap:
    """Puts a built or kept database in the target's place."""

    psql: Psql
    state: State
    query: Callable[[str], str]
    """Queries the server: the lock's, so that no swap is made without the lock."""

    @property
    def names(self) -> Names:
        """The names of the target and of the databases beside it."""
        return self.state.family.names

    def to_new(self, oid: str, *, comment: str, keep_previous: bool) -> list[Move]:
        """Replace the target by the aside database with this oid and comment.

        Returns the moves of the other databases. Raises HeldOpen and StillConnected
        where a holder or a session can't be ended, and LockLost where another database
        has the name of the aside database.
        """
        for attempt in range(1, TRIES + 1):
            moves = self._look().to_new(keep=keep_previous)
            if self._rename(moves, attempt, aside=oid, comment=comment):
                return moves
        raise AssertionError

    def to_back(self, *, original: bool) -> list[Move]:
        """Bring back the database that was replaced last, or an original database.

        Raises TargetError.
        """
        for attempt in range(1, TRIES + 1):
            family = self._look()
            moves = family.to_back(self._chosen(family, original=original))
            if self._rename(moves, attempt):
                return moves
        raise AssertionError

    def _look(self) -> Family:
        return look(self.query, self.names)

    def _chosen(self, family: Family, *, original: bool) -> Member:
        label = self.psql.connection.label
        if original:
            if not family.originals:
                raise TargetError(
                    f"There is no original database of {label}.",
                    "One is kept where a pull replaces a database that dbpull had not"
                    " filled.",
                )
            return family.originals_in_turn[0]
        if not family.last_replaced:
            remedy = f"One is kept by each pull unless {setting('undo')} is false."
            if family.originals:
                remedy = (
                    f"{family.originals[0].dbname}, which dbpull had not filled, is"
                    f" there: `{command('undo')} --original` brings it back."
                )
            what = f"There is no previous database of {label} to bring back."
            raise TargetError(what, remedy)
        return family.last_replaced

    def _rename(
        self, moves: Sequence[Move], attempt: int, *, aside: str = "", **more: str
    ) -> bool:
        """End the sessions in the way, rename in one transaction; whether renamed."""
        label = self.psql.connection.label
        members = [move.member for move in moves]
        for member in members:
            member.refuse_foreign(self.state.user)
        refuse_held_open(members, label)
        sql = script(self.names, moves, new=bool(aside))
        values = variables(self.names, moves, aside) | more
        try:
            rows = self.psql.run(sql, doing="Swapping", **values)
        except SqlFailed:
            if attempt < TRIES:
                time.sleep(0.2 * attempt)
                return False
            dbnames = [member.dbname for member in members]
            now = self._look().members
            refuse_held_open([now[n] for n in dbnames if n in now], label)
            if sessions := connected(self.psql, dbnames):
                raise StillConnected(label, sessions) from None
            raise
        if rows == [[CHANGED]] and attempt < TRIES:
            return False
        if rows:
            raise LockLost(label)
        return True


def record(psql: Psql, comment: str) -> None:
    """Write the comment on the target, where this role may."""
    doing, target = "Recording where the rows came from", psql.connection.dbname
    with suppress(SqlFailed):
        psql.run(_COMMENT, doing=doing, target=target, comment=comment)
