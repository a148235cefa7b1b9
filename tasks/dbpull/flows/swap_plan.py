"""The plan of a swap: the SQL statements for the databases of the target's server."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from dbpull.errors.sql_names import quoted
from dbpull.target.family import Becomes
from dbpull.target.leftovers import leftovers
from dbpull.target.names import Names
from dbpull.target.opened import Target
from dbpull.target.renames import renames


def leftover(target: Target | None) -> list[str]:
    """The databases that crashed runs left, and that are dropped first.

    Raises NameTaken, NotOwner.
    """
    if not target:
        return []
    return [leftover.dbname for leftover in leftovers(target.psql, target.state)]


def dropped(dbnames: Iterable[str]) -> list[str]:
    """The statements that drop databases."""
    return [f"psql: DROP DATABASE {quoted(dbname)}" for dbname in dbnames]


def swap(
    names: Names, target: Target | None, freed: Collection[str], *, undo: bool
) -> list[str]:
    """The statements of a swap; without a target, those for an empty server.

    `freed`: names on the server that count as free, of databases dropped before.
    """
    moves = []
    if target:
        family = target.state.family
        rest = {n: each for n, each in family.members.items() if n not in freed}
        moves = replace(family, members=rest).to_new(keep=undo)
    pairs = renames(names, moves, new=True)
    statements = [
        f"ALTER DATABASE {quoted(old)} RENAME TO {quoted(new)}" for old, new in pairs
    ]
    discarded = [move.new for move in moves if move.becomes is Becomes.DISCARDED]
    ended = f"psql: the sessions on {quoted(names.target)} are ended"
    return [
        *([ended] if target and target.state.exists else []),
        f"psql: BEGIN; {'; '.join(statements)}; COMMIT",
        *dropped(discarded),
    ]
