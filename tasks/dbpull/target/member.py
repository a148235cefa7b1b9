"""A member of a target's family: the target, or a database kept beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from dbpull.errors.target import NotOwner
from dbpull.target.holders import Holder
from dbpull.target.provenance import Keepsake, Provenance, ResetMark, is_own

LONG_AGO = datetime.min.replace(tzinfo=UTC)
"""The time of what no database tells."""


@dataclass(frozen=True)
class Member:
    """The target, or a database kept beside it."""

    dbname: str
    oid: str
    comment: str | None
    was: str
    """The hash of the comment, which the swap compares."""
    size: int | None
    """Bytes; None for the target, and where this role may not know."""
    closed: bool
    """Whether nobody can connect: a snapshot, or a copy that is being made."""
    owner: str
    owned: bool
    """Whether this role may rename and drop the database."""
    holders: tuple[Holder, ...]
    """Holders that keep the database from being renamed, but no clients' sessions."""
    copied: bool = False
    """Whether its rows came from a snapshot or original that is still there."""

    def refuse_foreign(self, user: str) -> None:
        """Raise NotOwner where this role may not rename and drop the database."""
        if not self.owned:
            raise NotOwner(user, self.owner, self.dbname)

    @property
    def locked(self) -> Member:
        """The member with only the holders that may keep locks on its tables."""
        return replace(self, holders=tuple(each for each in self.holders if each.locks))

    @property
    def half_copied(self) -> bool:
        """Whether a run was killed while it copied files into the database."""
        return self.closed and self.comment is None

    @property
    def kept(self) -> Keepsake | None:
        """The mark of a kept database; None for the target itself."""
        return Keepsake.from_comment(self.comment)

    @property
    def provenance(self) -> Provenance | None:
        """Where the database's rows came from."""
        return Provenance.from_comment(self.comment)

    @property
    def own(self) -> bool:
        """Whether the database may hold the user's only rows; then it is kept."""
        return is_own(self.comment) and not self.copied

    @property
    def replaced(self) -> datetime:
        """When the database was replaced; long ago where unknown."""
        return (self.kept and self.kept.replaced) or LONG_AGO

    @property
    def filled(self) -> datetime:
        """When dbpull filled the database; long ago where it did not."""
        if reset := ResetMark.from_comment(self.comment):
            return reset.reset
        return self.provenance.pulled if self.provenance else LONG_AGO


def member_of(fields: dict[str, Any]) -> Member:
    """A member from a row of LOOK."""
    holders = tuple(Holder(**holder) for holder in fields.pop("holders"))
    return Member(holders=holders, **fields)


def judged(member: Member, oids: set[str]) -> Member:
    """A member that knows whether its snapshot is among these databases."""
    reset = ResetMark.from_comment(member.comment)
    return replace(member, copied=bool(reset and reset.oid in oids))
