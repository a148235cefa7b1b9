"""Errors about the target: the database to be replaced."""

from __future__ import annotations

from collections.abc import Sequence

from dbpull.errors import PullError
from dbpull.errors.sql_names import quoted
from dbpull.naming import command, setting


class TargetError(PullError):
    """The target can't be used, or not now."""


class TargetReserved(TargetError):
    """The target is one of the server's own databases, or one of dbpull's."""

    def __init__(self, dbname: str, why: str) -> None:
        super().__init__(
            f"{dbname} can't be replaced: {why}.", "Name another database as target."
        )


class TargetIsSource(TargetError):
    """The target is the database that the backup was taken from."""

    def __init__(self, label: str, app: str) -> None:
        super().__init__(
            f"{label} is the database of {app} itself, so it can't be the target.",
            "Name your development database as target.",
        )


class FilledFromElsewhere(TargetError):
    """The target holds another source's rows, and nobody watches the run."""

    def __init__(self, label: str, holds: str, source: str) -> None:
        super().__init__(
            f"{label} was filled from {holds} until now, and no terminal shows this"
            f" run: it is not replaced by {source}.",
            "If it may be, name it: pass --target=URL, or give the source a `target` of"
            f" its own in {setting('sources')}.",
        )


class NotOwner(TargetError):
    """The role may not rename the target."""

    def __init__(self, user: str, owner: str, label: str) -> None:
        super().__init__(
            f"{label} belongs to {owner}, and {user} may not replace it.",
            f"Connect as {owner}, or grant it: GRANT {quoted(owner)} TO"
            f" {quoted(user)}.",
        )


class LockLost(TargetError):
    """The session that held the target's lock has ended under way."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"The lock on {label} was lost: its server has restarted, or ended the"
            " session.",
            "Another pull may be running: check, then run the same command again.",
        )


class NameTaken(TargetError):
    """A name that dbpull needs belongs to somebody else's database."""

    def __init__(self, dbname: str) -> None:
        super().__init__(
            f"There is a database {dbname} that dbpull did not make.",
            "Rename or drop it: dbpull needs that name while it works.",
        )


class StillConnected(TargetError):
    """Sessions on the old database could not be ended; `dump`: a dump is here."""

    def __init__(self, label: str, sessions: str, *, dump: bool = True) -> None:
        then = f"`{command('restore')}`: the dump is here"
        super().__init__(
            f"{label} is in use, and its connections could not be closed: {sessions}.",
            f"Stop those programs, then run {then if dump else 'the same again'}.",
        )


class HeldOpen(TargetError):
    """A database is held open, but not by a client's session."""

    def __init__(self, label: str, held: Sequence[tuple[str, str, str]]) -> None:
        target = label.partition(" on ")[0]
        told = "; ".join(
            f"{label if dbname == target else dbname} is held open by {what}"
            for dbname, what, _ in held
        )
        remedies = list(dict.fromkeys(remedy for _, _, remedy in held))
        remedy = f"{_sentence(remedies)}; then run the same command again."
        super().__init__(f"{told}.", remedy)


class CannotDrop(TargetError):
    """A database can't be dropped; `by` names the next task that tries."""

    def __init__(
        self,
        dbname: str,
        held: Sequence[tuple[str, str]],
        cause: str,
        by: str = "the next pull",
    ) -> None:
        self._told = dbname, held, cause, by
        why = cause
        if held:
            why = "it is held by " + " and ".join(what for what, _ in held)
        ways = [remedy for _, remedy in held]
        drop = f"`DROP DATABASE {quoted(dbname)}`, or {by}, drops it"
        super().__init__(
            f"{dbname} can't be dropped: {why}.",
            f"{_sentence(ways)}; then {drop}."
            if ways
            else f"When that is corrected, {drop}.",
        )

    def by_name(self, dbname: str) -> CannotDrop:
        """This error for the database under another name."""
        return CannotDrop(dbname, *self._told[1:])

    def dropped_by(self, task: str) -> CannotDrop:
        """This error where a task, not the next pull, will try again."""
        return CannotDrop(*self._told[:3], task)


def _sentence(remedies: Sequence[str]) -> str:
    told = "; ".join(remedies)
    return told[:1].upper() + told[1:]
