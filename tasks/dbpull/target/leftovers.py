"""Leftovers: databases of crashed runs, or out of use after a swap; their removal."""

from __future__ import annotations

from dataclasses import dataclass

from dbpull.errors.postgres import SqlFailed
from dbpull.errors.target import CannotDrop, NameTaken
from dbpull.postgres.psql import Psql
from dbpull.target.holders import undroppable
from dbpull.target.lock import IF_FREE, UNLOCK
from dbpull.target.member import Member
from dbpull.target.names import Names, is_ours
from dbpull.target.provenance import unfinished, unfinished_of
from dbpull.target.state import State

# From 16384 on objects are users' (FirstNormalObjectId, src/include/access/transam.h).
_EMPTY = """
SELECT (SELECT count(*) FROM pg_class WHERE oid >= 16384)
  + (SELECT count(*) FROM pg_proc WHERE oid >= 16384)
  + (SELECT count(*) FROM pg_type WHERE oid >= 16384)
  + (SELECT count(*) FROM pg_namespace WHERE oid >= 16384)
  + (SELECT count(*) FROM pg_extension WHERE oid >= 16384)
  + (SELECT count(*) FROM pg_largeobject_metadata);
"""
# One session takes the lock of the leftover's target and drops the leftover: no pull of
# that target can begin in between.
_DROP = """
SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname) FROM pg_database
WHERE datname = :'left' AND oid = :'oid' AND datistemplate AND ({free}) \\gexec
SELECT format('DROP DATABASE %I WITH (FORCE)', datname)
FROM pg_database WHERE datname = :'left' AND oid = :'oid' AND ({free}) \\gexec
SELECT count(*) FROM pg_database WHERE oid = :'oid';
"""
_RENAME = """
SELECT format('COMMENT ON DATABASE %I IS %L', :'left', :'mark') \\gexec
SELECT format('ALTER DATABASE %I RENAME TO %I', :'left', :'new') \\gexec
"""


@dataclass(frozen=True)
class Leftover:
    """A database that a crashed run left."""

    dbname: str
    oid: str
    target: str
    """The target that the database was built for, or replaced by."""


def leftovers(psql: Psql, state: State) -> list[Leftover]:
    """The leftovers on the target's server that this role may drop.

    Raises NameTaken where another database has a name that the target needs, NotOwner
    where a leftover with such a name belongs to another role.
    """
    family, names = state.family, state.family.names
    found = []
    for dbname, member in family.members.items():
        target = unfinished_of(member.comment)
        if dbname == names.previous and not family.previous:
            raise NameTaken(dbname)
        if dbname in {names.aside, names.previous}:
            member.refuse_foreign(state.user)
        if dbname == names.aside:
            made = target is not None or member.half_copied
            if not made and not _is_empty(psql, dbname):
                raise NameTaken(dbname)
            found.append(Leftover(dbname, member.oid, names.target))
        elif member.half_copied and names.is_snapshot(dbname) and member.owned:
            found.append(Leftover(dbname, member.oid, names.target))
        elif target is not None and is_ours(dbname) and member.owned:
            found.append(Leftover(dbname, member.oid, target))
    return found


def drop(psql: Psql, leftover: Leftover) -> bool:
    """Drop a leftover unless a pull of its target runs; whether the leftover is gone.

    The lock of our own target we hold already. Raises CannotDrop.
    """
    held = leftover.target == psql.connection.dbname
    dbname = leftover.dbname
    try:
        rows = psql.run(
            _DROP.format(free="true" if held else IF_FREE) + UNLOCK,
            doing=f"Dropping {dbname}",
            left=dbname,
            oid=leftover.oid,
            target=leftover.target,
        )
    except SqlFailed as error:
        holders = undroppable(psql, dbname)
        worded = [(holder.what, holder.remedy) for holder in holders]
        raise CannotDrop(dbname, worded, error.cause) from error
    return rows == [["0"]]


def put_away(
    psql: Psql, state: State, leftover: Leftover, error: CannotDrop
) -> CannotDrop:
    """Rename a leftover that can't be dropped; the error, with the new name.

    Raises the error where renaming fails, too.
    """
    new = Names(leftover.target).discarded(state.family.members)
    try:
        psql.run(
            _RENAME,
            doing=f"Renaming {leftover.dbname}",
            left=leftover.dbname,
            new=new,
            mark=unfinished(leftover.target),
        )
    except SqlFailed:
        raise error from None
    return error.by_name(new)


def drop_member(psql: Psql, member: Member, dbname: str) -> None:
    """Drop a member of a target's family by its present name. Raises CannotDrop."""
    drop(psql, Leftover(dbname, member.oid, psql.connection.dbname))


def _is_empty(psql: Psql, dbname: str) -> bool:
    """Whether a database is empty, as after a kill between CREATE and COMMENT."""
    return psql.run(_EMPTY, doing=f"Looking into {dbname}", dbname=dbname) == [["0"]]
