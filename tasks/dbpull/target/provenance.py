"""The comments that dbpull writes on databases.

Provenance, keepsake, snapshot, reset, unfinished. All but the first and the last hold
the comment that the database had before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dbpull.words import source_label

_MARK = "dbpull"
_HOLDING = {"previous_of", "original_of", "snapshot_of", "reset_to"}
"""The keys of the marks that hold a comment."""


@dataclass(frozen=True)
class Provenance:
    """Where a database's rows came from, and when; times in UTC."""

    app: str
    backup: str
    taken: datetime | None
    """When the backup was made; None for a dump whose name does not tell."""
    pulled: datetime
    skipped: tuple[str, ...] = ()
    """Tables whose rows were left out."""
    beside_own: bool = False
    """Whether the user's own tables may be in the database too: filled in place."""
    absent: tuple[str, ...] = ()
    """Entries of the dump that could not be restored, and were tolerated."""
    masked: Mapping[str, Any] | None = None
    """What was masked, and by what; None where rows are as the source has them."""

    @property
    def label(self) -> str:
        """The dump as messages name it: `shop-eu b101`, or the file's name."""
        return f"{source_label(self.app)} {self.backup}".strip()

    def to_comment(self) -> str:
        """The text for COMMENT ON DATABASE."""
        fields = asdict(self)
        fields["taken"] = self.taken.isoformat() if self.taken else None
        fields["pulled"] = self.pulled.isoformat()
        if not self.absent:
            del fields["absent"]
        return json.dumps({_MARK: fields})

    @classmethod
    def from_comment(cls, comment: str | None) -> Provenance | None:
        """Read a database's comment; None where dbpull did not write it.

        For a database with another of our marks, the comment from before is read.
        """
        fields = _marked(plain(comment))
        try:
            made, pulled = fields["taken"], datetime.fromisoformat(fields["pulled"])
            taken = datetime.fromisoformat(made) if made else None
            skipped, absent = tuple(fields["skipped"]), tuple(fields.get("absent", ()))
            beside_own = fields.get("beside_own") is True
            app, backup, masked = fields["app"], fields["backup"], fields.get("masked")
        except (KeyError, TypeError, ValueError):
            return None
        masked = masked if isinstance(masked, dict) else None
        return cls(app, backup, taken, pulled, skipped, beside_own, absent, masked)


@dataclass(frozen=True)
class Keepsake:
    """The mark of a replaced database, with the comment from before it was kept."""

    target: str
    original: bool
    """Whether only `db.cleanup --original` drops the database."""
    comment: str | None
    replaced: datetime | None
    """When the database was replaced; None where an older dbpull noted no time."""

    @classmethod
    def from_comment(cls, comment: str | None) -> Keepsake | None:
        """Read the mark from a database's comment; None for any other comment."""
        fields = _marked(comment)
        for key, original in (("previous_of", False), ("original_of", True)):
            if isinstance(target := fields.get(key), str):
                when = _moment(fields.get("replaced"))
                return cls(target, original, _inner(fields), when)
        return None


@dataclass(frozen=True)
class SnapshotMark:
    """The mark of a snapshot, with the comment that its database had before."""

    target: str
    name: str
    comment: str | None
    taken: datetime
    settings: str = ""
    """The digest of the settings that decided on a pull's rows; "" for no pull."""

    def to_comment(self) -> str:
        """The text for COMMENT ON DATABASE."""
        fields = {"snapshot_of": self.target, "name": self.name}
        when, comment = self.taken.isoformat(), self.comment
        more = {"comment": comment, "taken": when, "settings": self.settings}
        return json.dumps({_MARK: fields | more})

    @classmethod
    def from_comment(cls, comment: str | None) -> SnapshotMark | None:
        """Read the mark from a database's comment; None for any other comment."""
        fields = _marked(comment)
        target, name = fields.get("snapshot_of"), fields.get("name")
        taken = _moment(fields.get("taken"))
        if not (isinstance(target, str) and isinstance(name, str) and taken):
            return None
        settings = str(fields.get("settings") or "")
        return cls(target, name, _inner(fields), taken, settings)


@dataclass(frozen=True)
class ResetMark:
    """The mark of a database that was copied from a snapshot."""

    name: str
    oid: str
    """The snapshot's."""
    comment: str | None
    """The comment that the snapshot's database had before."""
    reset: datetime
    """When the copy was made."""

    def to_comment(self) -> str:
        """The text for COMMENT ON DATABASE."""
        fields = {"reset_to": self.name, "oid": self.oid, "comment": self.comment}
        return json.dumps({_MARK: fields | {"reset": self.reset.isoformat()}})

    @classmethod
    def from_comment(cls, comment: str | None) -> ResetMark | None:
        """Read the mark from a comment, also from one that was kept; else None."""
        kept = Keepsake.from_comment(comment)
        fields = _marked(kept.comment if kept else comment)
        name, oid = fields.get("reset_to"), fields.get("oid")
        reset = _moment(fields.get("reset"))
        if not (isinstance(name, str) and isinstance(oid, str) and reset):
            return None
        return cls(name, oid, _inner(fields), reset)


def is_own(comment: str | None) -> bool:
    """Whether a database with this comment may hold the user's own rows."""
    provenance = Provenance.from_comment(comment)
    return provenance is None or provenance.beside_own


def plain(comment: str | None) -> str | None:
    """A comment without the marks that hold another one."""
    while (fields := _marked(comment)) and _HOLDING & fields.keys():
        comment = _inner(fields)
    return comment


def unfinished(target: str) -> str:
    """The comment of a database that is being built, or about to be dropped."""
    return json.dumps({_MARK: {"unfinished": target}})


def unfinished_of(comment: str | None) -> str | None:
    """The target that an unfinished database was built for; None for any other."""
    target = _marked(comment).get("unfinished")
    return target if isinstance(target, str) else None


def _moment(text: object) -> datetime | None:
    """A time with its zone; None where the text is no such time."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _inner(fields: dict[str, Any]) -> str | None:
    """The comment that a mark holds."""
    inner = fields.get("comment")
    return inner if isinstance(inner, str) else None


def _marked(comment: str | None) -> dict[str, Any]:
    """The fields under dbpull's key in a comment; empty for any other comment."""
    try:
        fields = json.loads(comment or "")[_MARK]
    except (ValueError, KeyError, TypeError):
        return {}
    return fields if isinstance(fields, dict) else {}
