"""A target and the databases kept beside it, and what becomes of each in a swap."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from dbpull.postgres.psql import Psql
from dbpull.target.names import Names, is_ours
from dbpull.target.provenance import Keepsake, Provenance, is_own
from dbpull.target.state import State

_LOOK = """
SELECT coalesce(json_agg(json_build_object('dbname', datname, 'oid', oid::text,
  'comment', shobj_description(oid, 'pg_database'),
  'was', hashtext(coalesce(shobj_description(oid, 'pg_database'), ''))::text,
  'size', CASE WHEN has_database_privilege(oid, 'CONNECT')
      AND shobj_description(oid, 'pg_database') LIKE '%_of"%'
    THEN pg_database_size(oid) END,
  'owner', pg_get_userbyid(datdba), 'owned', pg_has_role(datdba, 'USAGE'))), '[]')
FROM pg_database WHERE datname = :'target' OR datname LIKE '%\\_\\_dbpull\\_%';
"""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Member:
    """A database: the target, or one kept beside it."""

    dbname: str
    oid: str
    comment: str | None
    was: str
    """The comment's hash, by which a change is seen."""
    size: int | None
    """Bytes, of what is kept and where this role may know."""
    owner: str
    owned: bool
    """Whether this role may rename and drop it."""

    @property
    def kept(self) -> Keepsake | None:
        """Why it is kept; None of the target itself."""
        return Keepsake.from_comment(self.comment)

    @property
    def provenance(self) -> Provenance | None:
        """Where its rows came from."""
        return Provenance.from_comment(self.comment)

    @property
    def own(self) -> bool:
        """Whether the database may hold the user's own rows: never dropped then."""
        return is_own(self.comment)

    @property
    def replaced(self) -> datetime:
        """When it was replaced, or long ago."""
        return (self.kept and self.kept.replaced) or _LONG_AGO


class Becomes(Enum):
    """What a database is after a move."""

    TARGET = "target"
    PREVIOUS = "previous"
    ORIGINAL = "original"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class Move:
    """One database of a swap, and the name that it gets."""

    member: Member
    new: str
    becomes: Becomes
    meanwhile: str = ""
    """The name of what becomes the target, until that has made room."""


@dataclass(frozen=True)
class Family:
    """A target and those beside it, as they were when looked at."""

    names: Names
    target: Member | None
    previous: Member | None
    originals: tuple[Member, ...]
    """The one that was replaced last comes first."""
    taken: frozenset[str]
    """Every name on the server that looks like one of ours."""

    def to_new(self, *, keep: bool) -> list[Move]:
        """What makes room for a new database; `keep` a pulled one for `db.undo`.

        Without a target to take its place, a previous one stays as it is.
        """
        if not self.target:
            return []
        moves = Moves(self)
        if self.previous:
            moves.put_away(self.previous)
        moves.replace(self.target, keep=keep)
        return moves.made

    def to_back(self, chosen: Member) -> list[Move]:
        """What makes the chosen one the target again."""
        moves = Moves(self)
        moves.vacate(chosen)
        if self.target:
            if self.previous not in {None, chosen} and not self.target.own:
                moves.put_away(self.previous)
            moves.replace(self.target, keep=True)
        moves.bring_back(chosen)
        return moves.made

    @property
    def last_replaced(self) -> Member | None:
        """What `db.undo` brings back: what the target has taken the place of.

        An original that was replaced before the target was pulled is not meant.
        """
        if self.previous:
            return self.previous
        told = self.target.provenance if self.target else None
        since = told.pulled if told else _LONG_AGO
        return next((one for one in self.originals if one.replaced >= since), None)

    @property
    def originals_in_turn(self) -> list[Member]:
        """As `db.undo --original` brings them, done again and again.

        The last first, but not while another one of one's own is the target: then it
        would be the first that comes again.
        """
        others = list(reversed(self.originals))
        if others and not (self.target and self.target.own):
            others.insert(0, others.pop())
        return others


class Moves:
    """Moves being made, each to a name that is free by then."""

    def __init__(self, family: Family) -> None:
        self.made: list[Move] = []
        self._names = family.names
        self._taken = set(family.taken)

    def vacate(self, member: Member) -> None:
        """Free a name: its database goes to another before all else."""
        self._taken.discard(member.dbname)

    def put_away(self, member: Member) -> None:
        """A database that leaves: dropped afterwards, unless it may be one's own."""
        becomes = Becomes.ORIGINAL if member.own else Becomes.DISCARDED
        free = self._names.original if member.own else self._names.discarded
        self._add(member, free(self._taken), becomes)

    def replace(self, member: Member, *, keep: bool) -> None:
        """The target that leaves."""
        if keep and not member.own:
            self._add(member, self._names.previous, Becomes.PREVIOUS)
        else:
            self.put_away(member)

    def bring_back(self, member: Member) -> None:
        """What becomes the target again."""
        target, meanwhile = self._names.target, self._names.between(self._taken)
        self.made.append(Move(member, target, Becomes.TARGET, meanwhile))

    def _add(self, member: Member, new: str, becomes: Becomes) -> None:
        self._taken.add(new)
        self.made.append(Move(member, new, becomes))


def look(psql: Psql, state: State) -> Family:
    """See which databases there are. Raises CannotConnect, SqlFailed."""
    names = Names(psql.connection.dbname)
    rows = psql.run(
        _LOOK,
        doing="Looking at the databases beside it",
        dbname=state.maintenance,
        target=names.target,
    )
    return of_rows(names, json.loads(rows[0][0]))


def of_rows(names: Names, told: list[dict[str, Any]]) -> Family:
    """The family among all databases whose names look like ours.

    One that was renamed by hand has its mark still, and is none of them.
    """
    members = {one["dbname"]: Member(**one) for one in told}
    originals = [
        one
        for dbname, one in members.items()
        if (kept := one.kept) and kept.original and kept.target == names.target
        if dbname != names.target and is_ours(dbname)
    ]
    previous = members.get(names.previous)
    if previous and not (previous.kept and not previous.kept.original):
        previous = None
    return Family(
        names,
        members.get(names.target),
        previous,
        tuple(sorted(originals, key=lambda one: one.replaced, reverse=True)),
        frozenset(members),
    )
