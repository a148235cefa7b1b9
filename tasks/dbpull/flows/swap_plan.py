"""The plan of a swap: the SQL statements for the databases of the target's server."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from dbpull.errors.sql_names import quoted
from dbpull.target.family import Becomes, Family
from dbpull.target.names import Names
from dbpull.target.renames import renames


def dropped(dbnames: Iterable[str]) -> list[str]:
    """The statements that drop databases."""
    return [f"psql: DROP DATABASE {quoted(dbname)}" for dbname in dbnames]


def swap(
    names: Names, family: Family | None, freed: Collection[str], *, undo: bool
) -> list[str]:
    """The statements of a swap; without a family, those for an empty server.

    `freed`: names on the server that count as free, of databases dropped before.
    """
    moves = []
    if family:
        rest = {n: each for n, each in family.members.items() if n not in freed}
        moves = replace(family, members=rest).to_new(keep=undo)
    pairs = renames(names, moves, new=True)
    statements = [
        f"ALTER DATABASE {quoted(old)} RENAME TO {quoted(new)}" for old, new in pairs
    ]
    ended = f"psql: the sessions on {quoted(names.target)} are ended"
    return [
        *([ended] if moves else []),
        f"psql: BEGIN; {'; '.join(statements)}; COMMIT",
        *dropped(move.new for move in moves if move.becomes is Becomes.DISCARDED),
    ]
