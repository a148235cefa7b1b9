"""A target, the databases kept beside it, and the moves that a swap makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from dbpull.errors.target import HeldOpen
from dbpull.target.holders import OPEN
from dbpull.target.member import LONG_AGO, Member, judged, member_of
from dbpull.target.names import Names, is_ours

LOOK = f"""
SELECT coalesce(json_agg(json_build_object('dbname', datname, 'oid', oid::text,
  'comment', shobj_description(oid, 'pg_database'),
  'was', hashtext(coalesce(shobj_description(oid, 'pg_database'), ''))::text,
  'size', CASE WHEN has_database_privilege(oid, 'CONNECT')
      AND shobj_description(oid, 'pg_database') LIKE '%_of"%'
    THEN pg_database_size(oid) END,
  'closed', NOT datallowconn,
  'owner', pg_get_userbyid(datdba), 'owned', pg_has_role(datdba, 'USAGE'),
  'holders', coalesce(holders, '[]')) ORDER BY datname), '[]')
FROM pg_database LEFT JOIN ({OPEN}) held USING (datname)
WHERE datname = :'target' OR datname LIKE '%\\_\\_dbpull\\_%'
"""  # noqa: S608 - of constants
"""The query for a target's family."""


class Becomes(Enum):
    """The role of a database after a move."""

    TARGET = "target"
    PREVIOUS = "previous"
    ORIGINAL = "original"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class Move:
    """A database in a swap, with its new name and role."""

    member: Member
    new: str
    becomes: Becomes
    meanwhile: str = ""
    """The name of the coming target until the old target's name is free."""


@dataclass(frozen=True)
class Family:
    """A target and the databases kept beside it, as they were at one moment."""

    names: Names
    members: Mapping[str, Member]
    """By name: the target, and all on the server whose names look like dbpull's."""

    @classmethod
    def of_rows(cls, names: Names, rows: Iterable[dict[str, Any]]) -> Family:
        """The family from the answer to LOOK."""
        members = [member_of(fields) for fields in rows]
        oids = {member.oid for member in members}
        return cls(names, {each.dbname: judged(each, oids) for each in members})

    @property
    def target(self) -> Member | None:
        """The target, if it exists."""
        return self.members.get(self.names.target)

    @property
    def previous(self) -> Member | None:
        """The previous database."""
        found = self.members.get(self.names.previous)
        return found if found and found.kept and not found.kept.original else None

    @cached_property
    def originals(self) -> list[Member]:
        """The originals; the one that was replaced last comes first.

        A kept database that was renamed by hand still has its mark, but does not count.
        """
        found = [
            member
            for dbname, member in self.members.items()
            if (kept := member.kept) and kept.original
            if kept.target == self.names.target != dbname
            if is_ours(dbname)
        ]
        return sorted(found, key=lambda member: member.replaced, reverse=True)

    def to_new(self, *, keep: bool) -> list[Move]:
        """The moves that make room for a new database.

        `keep`: keep a pulled target for `db.undo`. Without a target, the previous
        database stays as it is.
        """
        if not self.target:
            return []
        moves = Moves(self)
        if self.previous:
            moves.put_away(self.previous)
        moves.replace(self.target, keep=keep)
        return moves.made

    def to_back(self, chosen: Member) -> list[Move]:
        """The moves that make a kept database the target again."""
        moves = Moves(self, leaving=chosen.dbname)
        if self.target:
            if self.previous not in {None, chosen} and not self.target.own:
                moves.put_away(self.previous)
            moves.replace(self.target, keep=True)
        moves.bring_back(chosen)
        return moves.made

    @property
    def last_replaced(self) -> Member | None:
        """The database that `db.undo` brings back: the one that the target replaced.

        An original that was replaced before the target was pulled does not count.
        """
        if self.previous:
            return self.previous
        since = self.target.filled if self.target else LONG_AGO
        return next((each for each in self.originals if each.replaced >= since), None)

    @property
    def originals_in_turn(self) -> list[Member]:
        """The originals in the order in which repeated `db.undo --original` takes them.

        The original that was replaced last comes first, except while the target is the
        user's own: then it comes last, or the two would only change places.
        """
        others = list(reversed(self.originals))
        if others and not (self.target and self.target.own):
            others.insert(0, others.pop())
        return others


class Moves:
    """The list of moves being built; each new name is free when its move is made."""

    def __init__(self, family: Family, *, leaving: str = "") -> None:
        """`leaving`: the name that counts as free, since its move comes first."""
        self.made: list[Move] = []
        self._names = family.names
        self._taken = set(family.members) - {leaving}

    def put_away(self, member: Member) -> None:
        """Move a database away, to be dropped after the swap unless it may be own."""
        becomes = Becomes.ORIGINAL if member.own else Becomes.DISCARDED
        free = self._names.original if member.own else self._names.discarded
        self._add(member, free(self._taken), becomes)

    def replace(self, member: Member, *, keep: bool) -> None:
        """Move the target away."""
        if keep and not member.own:
            self._add(member, self._names.previous, Becomes.PREVIOUS)
        else:
            self.put_away(member)

    def bring_back(self, member: Member) -> None:
        """Make a kept database the target again."""
        target, meanwhile = self._names.target, self._names.between(self._taken)
        self.made.append(Move(member, target, Becomes.TARGET, meanwhile))

    def _add(self, member: Member, new: str, becomes: Becomes) -> None:
        self._taken.add(new)
        self.made.append(Move(member, new, becomes))


def look(query: Callable[[str], str], names: Names) -> Family:
    """Query the server for a target's family: `query` is Psql's, or its lock's."""
    return Family.of_rows(names, json.loads(query(f"{LOOK};")))


def refuse_held_open(members: Iterable[Member], label: str) -> None:
    """Raise HeldOpen where a database can't be renamed; `label`: the target's."""
    held = [
        (member.dbname, holder.what, holder.remedy)
        for member in members
        for holder in member.holders
    ]
    if held:
        raise HeldOpen(label, sorted(held))
