"""Swaps as the flow makes them, of databases that a word tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from databases import Postgres
from dbpull.target.aside import Aside
from dbpull.target.family import Becomes, Move
from dbpull.target.leftovers import drop_member
from dbpull.target.provenance import Provenance
from dbpull.target.swap import Swap

WORD = "CREATE TABLE word (of text); INSERT INTO word VALUES ('{}');"


def comment_now() -> str:
    """The comment of a database that is pulled now."""
    return Provenance("myapp", "b7", None, datetime.now(UTC)).to_comment()


def word(postgres: Postgres, dbname: str) -> str:
    """What tells one database from another."""
    return postgres.sql(dbname, "SELECT of FROM word")


def build_aside(postgres: Postgres, target: str, user: str = "postgres") -> Aside:
    """An aside database whose word is `new`."""
    aside = Aside(postgres.psql(target, user))
    aside.create()
    postgres.sql(aside.names.aside, WORD.format("new"))
    return aside


def swap_of(postgres: Postgres, target: str, user: str = "postgres") -> Swap:
    psql = postgres.psql(target, user)
    return Swap(psql, postgres.state(target, user), psql.query)


def pull(postgres: Postgres, target: str, *, keep_previous: bool = True) -> None:
    """All of it: aside, swap, discard."""
    aside = build_aside(postgres, target)
    swap = swap_of(postgres, target)
    moves = swap.to_new(aside.oid, comment=comment_now(), keep_previous=keep_previous)
    discard(swap, moves)


def discard(swap: Swap, moves: Sequence[Move]) -> None:
    """Drop what a swap took out of use."""
    for move in moves:
        if move.becomes is Becomes.DISCARDED:
            drop_member(swap.psql, move.member, move.new)


def undo(postgres: Postgres, target: str, *, original: bool = False) -> None:
    """The way back."""
    swap = swap_of(postgres, target)
    discard(swap, swap.to_back(original=original))
