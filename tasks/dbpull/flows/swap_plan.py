"""What a swap would do to the databases of the target's server, as statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from dbpull.errors.sql_names import quoted
from dbpull.target.family import Becomes, look
from dbpull.target.leftovers import leftovers
from dbpull.target.names import Names
from dbpull.target.opened import Target
from dbpull.target.renames import renames


def leftover(target: Target | None) -> list[str]:
    """What crashed runs left: that is dropped first. Raises NameTaken, NotOwner."""
    return (
        [one.dbname for one in leftovers(target.psql, target.state)] if target else []
    )


def dropped(dbnames: Iterable[str]) -> list[str]:
    """The statements that drop databases."""
    return [f"psql: DROP DATABASE {quoted(dbname)}" for dbname in dbnames]


def swap(
    names: Names, target: Target | None, left: Collection[str], *, undo: bool
) -> list[str]:
    """The swap's statements; of a server that doesn't run yet, as if it were empty.

    The names of what crashed runs left are free by then.
    """
    moves = []
    if target:
        family = look(target.psql, target.state)
        moves = replace(family, taken=family.taken.difference(left)).to_new(keep=undo)
    pairs = renames(names, moves, new=True)
    told = [
        f"ALTER DATABASE {quoted(old)} RENAME TO {quoted(new)}" for old, new in pairs
    ]
    gone = [one.new for one in moves if one.becomes is Becomes.DISCARDED]
    ended = f"psql: the sessions on {quoted(names.target)} are ended"
    return [
        *([ended] if target and target.state.exists else []),
        f"psql: BEGIN; {'; '.join(told)}; COMMIT",
        *dropped(gone),
    ]
