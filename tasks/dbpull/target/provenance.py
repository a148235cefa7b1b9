"""What dbpull writes on a database, as its comment: whence its rows, why it is kept."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

_MARK = "dbpull"


@dataclass(frozen=True)
class Provenance:
    """What was pulled, and when; times in UTC."""

    app: str
    backup: str
    taken: datetime | None
    """When the backup was made at Heroku; None for a dump that does not tell."""
    pulled: datetime
    skipped: tuple[str, ...] = ()
    """Tables whose rows were left out."""
    beside_own: bool = False
    """Whether the developer's own tables may be there as well: filled in place."""
    absent: tuple[str, ...] = ()
    """Entries of the dump that could not be restored and were gone on without."""

    @property
    def label(self) -> str:
        """As messages name it: `shop-eu b101`, or the file alone."""
        return f"{self.app} {self.backup}".strip()

    def to_comment(self) -> str:
        """As the text of COMMENT ON DATABASE."""
        told = asdict(self)
        told["taken"] = self.taken.isoformat() if self.taken else None
        told["pulled"] = self.pulled.isoformat()
        if not self.absent:
            del told["absent"]
        return json.dumps({_MARK: told})

    @classmethod
    def from_comment(cls, comment: str | None) -> Provenance | None:
        """Read it back; None where the comment is somebody else's.

        Of a database that is kept, the comment that it had before is read.
        """
        told = _marked(_before(comment))
        try:
            taken = datetime.fromisoformat(told["taken"]) if told["taken"] else None
            pulled = datetime.fromisoformat(told["pulled"])
            skipped, absent = tuple(told["skipped"]), tuple(told.get("absent", ()))
            beside_own = told.get("beside_own") is True
            app, backup = told["app"], told["backup"]
        except (KeyError, TypeError, ValueError):
            return None
        return cls(app, backup, taken, pulled, skipped, beside_own, absent)


@dataclass(frozen=True)
class Keepsake:
    """The mark of a replaced database, with the comment that it had before."""

    target: str
    original: bool
    """Whether it is kept until it is asked to go."""
    comment: str | None
    replaced: datetime | None
    """When; None where an older dbpull has replaced it."""

    @classmethod
    def from_comment(cls, comment: str | None) -> Keepsake | None:
        """Read it; None where the comment is none."""
        told = _marked(comment)
        for key, original in (("previous_of", False), ("original_of", True)):
            if isinstance(target := told.get(key), str):
                inner, when = told.get("comment"), told.get("replaced")
                inner = inner if isinstance(inner, str) else None
                return cls(target, original, inner, _moment(when))
        return None


def is_own(comment: str | None) -> bool:
    """Whether a database of that comment may hold what dbpull did not put there."""
    told = Provenance.from_comment(comment)
    return told is None or told.beside_own


def _before(comment: str | None) -> str | None:
    """The comment that a database had before it was kept; one by hand has it still."""
    kept = Keepsake.from_comment(comment)
    return kept.comment if kept else comment


def unfinished(target: str) -> str:
    """The comment of a database that is being built, or about to be dropped."""
    return json.dumps({_MARK: {"unfinished": target}})


def unfinished_of(comment: str | None) -> str | None:
    """The target that an unfinished database was meant for; None for any other."""
    target = _marked(comment).get("unfinished")
    return target if isinstance(target, str) else None


def _moment(text: object) -> datetime | None:
    """A time with its zone; None where it is not one."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _marked(comment: str | None) -> dict[str, Any]:
    try:
        told = json.loads(comment or "")[_MARK]
    except (ValueError, KeyError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}
