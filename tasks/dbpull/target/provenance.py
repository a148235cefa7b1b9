"""Where a database's rows came from: a comment on the database itself."""

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

    def to_comment(self) -> str:
        """As the text of COMMENT ON DATABASE."""
        told = asdict(self)
        told["taken"] = self.taken.isoformat() if self.taken else None
        told["pulled"] = self.pulled.isoformat()
        return json.dumps({_MARK: told})

    @classmethod
    def from_comment(cls, comment: str | None) -> Provenance | None:
        """Read it back; None where the comment is somebody else's."""
        told = _marked(comment)
        try:
            taken = datetime.fromisoformat(told["taken"]) if told["taken"] else None
            pulled = datetime.fromisoformat(told["pulled"])
            skipped = tuple(told["skipped"])
            return cls(told["app"], told["backup"], taken, pulled, skipped)
        except (KeyError, TypeError, ValueError):
            return None


def unfinished(target: str) -> str:
    """The comment of a database that is being built, or about to be dropped."""
    return json.dumps({_MARK: {"unfinished": target}})


def unfinished_of(comment: str | None) -> str | None:
    """The target that an unfinished database was meant for; None for any other."""
    target = _marked(comment).get("unfinished")
    return target if isinstance(target, str) else None


def is_previous_of(comment: str | None) -> bool:
    """Whether a comment is the one that a swap gives to the replaced database."""
    return isinstance(_marked(comment).get("previous_of"), str)


def _marked(comment: str | None) -> dict[str, Any]:
    try:
        told = json.loads(comment or "")[_MARK]
    except (ValueError, KeyError, TypeError):
        return {}
    return told if isinstance(told, dict) else {}
