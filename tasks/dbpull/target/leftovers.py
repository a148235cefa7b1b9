"""Databases that crashed runs left: recognised, dropped, and nothing else is."""

from __future__ import annotations

from dataclasses import dataclass

from dbpull.errors.target import NameTaken, NotOwner
from dbpull.postgres.psql import Psql
from dbpull.target.lock import IF_FREE
from dbpull.target.names import Names, is_ours
from dbpull.target.provenance import is_previous_of, unfinished_of
from dbpull.target.state import State

_CANDIDATES = """
SELECT datname, oid, coalesce(shobj_description(oid, 'pg_database'), ''),
  pg_get_userbyid(datdba), pg_has_role(current_user, datdba, 'USAGE')
FROM pg_database WHERE datname LIKE '%\\_\\_dbpull\\_%' ORDER BY datname;
"""
# From 16384 on objects are users' (FirstNormalObjectId, src/include/access/transam.h).
_EMPTY = """
SELECT (SELECT count(*) FROM pg_class WHERE oid >= 16384)
  + (SELECT count(*) FROM pg_proc WHERE oid >= 16384)
  + (SELECT count(*) FROM pg_type WHERE oid >= 16384)
  + (SELECT count(*) FROM pg_namespace WHERE oid >= 16384)
  + (SELECT count(*) FROM pg_extension WHERE oid >= 16384)
  + (SELECT count(*) FROM pg_largeobject_metadata);
"""
# Somebody else's pull is looked for and its leftover dropped by one session: no pull
# of that target can begin in between.
_DROP = """
SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname) FROM pg_database
WHERE datname = :'left' AND oid = :'oid' AND datistemplate AND ({free}) \\gexec
SELECT format('DROP DATABASE %I WITH (FORCE)', datname)
FROM pg_database WHERE datname = :'left' AND oid = :'oid' AND ({free}) \\gexec
SELECT count(*) FROM pg_database WHERE oid = :'oid';
"""


@dataclass(frozen=True)
class Leftover:
    """A database that a crashed run left."""

    dbname: str
    oid: str
    target: str
    """The target that it was meant for, or replaced by."""


def leftovers(psql: Psql, state: State) -> list[Leftover]:
    """Those on this server that we may drop.

    Raises NameTaken where a name that the target needs is in use for something else,
    NotOwner where what has it belongs to somebody else.
    """
    rows = psql.run(
        _CANDIDATES,
        doing="Looking for what crashed runs left",
        dbname=state.maintenance,
    )
    names = Names(psql.connection.dbname)
    found = []
    for dbname, oid, comment, owner, owned in rows:
        target = unfinished_of(comment)
        if dbname == names.previous and not is_previous_of(comment):
            raise NameTaken(dbname)
        if dbname in {names.aside, names.previous, names.discarded} and owned != "t":
            raise NotOwner(state.user, owner, dbname)
        if dbname in {names.aside, names.discarded}:
            fresh = dbname == names.aside and target is None
            if target is None and not (fresh and _is_empty(psql, dbname)):
                raise NameTaken(dbname)
            found.append(Leftover(dbname, oid, names.target))
        elif target is not None and is_ours(dbname) and owned == "t":
            found.append(Leftover(dbname, oid, target))
    return found


def drop(psql: Psql, state: State, leftover: Leftover) -> bool:
    """Drop it, unless a pull of its target is at work; whether it is gone.

    Of the target itself we hold the lock already. Raises SqlFailed.
    """
    held = leftover.target == psql.connection.dbname
    rows = psql.run(
        _DROP.format(free="true" if held else IF_FREE),
        doing=f"Dropping {leftover.dbname}",
        dbname=state.maintenance,
        left=leftover.dbname,
        oid=leftover.oid,
        target=leftover.target,
    )
    return rows == [["0"]]


def _is_empty(psql: Psql, dbname: str) -> bool:
    """Killed between its creation and its comment, a database of ours is empty."""
    return psql.run(_EMPTY, doing=f"Looking into {dbname}", dbname=dbname) == [["0"]]
