"""Errors about the database to be replaced."""

from __future__ import annotations

from dbpull.errors import PullError


class TargetError(PullError):
    """The target can't be used, or not now."""


class TargetNotAllowed(TargetError):
    """The target's host is not this machine and not on the list."""

    def __init__(self, label: str, host: str) -> None:
        super().__init__(
            f"{label} is on another machine, and such databases are not replaced.",
            f"If it really may be replaced, add {host} to db.allowed_hosts in"
            " invoke.yaml.",
        )


class TargetReserved(TargetError):
    """The target is one of the server's own databases, or one of dbpull's."""

    def __init__(self, dbname: str, why: str) -> None:
        super().__init__(
            f"{dbname} can't be replaced: {why}.", "Name another database as target."
        )


class TargetIsSource(TargetError):
    """The target is the very database that the backup was taken from."""

    def __init__(self, label: str, app: str) -> None:
        super().__init__(
            f"{label} is the database of {app} itself, so it can't be the target.",
            "Name your development database as target.",
        )


class NoCreatedb(TargetError):
    """The role may not create databases, so nothing can be built aside."""

    def __init__(self, user: str, label: str) -> None:
        super().__init__(
            f"{user} may not create databases, so {label} can't be rebuilt aside.",
            f'Let a superuser run ALTER ROLE "{user}" CREATEDB. Or pass --in-place: it'
            " refills the database itself, without a previous one to go back to.",
        )


class NotOwner(TargetError):
    """The role may not rename the target."""

    def __init__(self, user: str, owner: str, label: str) -> None:
        super().__init__(
            f"{label} belongs to {owner}, and {user} may not replace it.",
            f'Connect as {owner}, or grant it: GRANT "{owner}" TO "{user}".',
        )


class TargetLocked(TargetError):
    """Another pull is at work on the same target."""

    def __init__(self, label: str, holder: str) -> None:
        super().__init__(
            f"{label} is being replaced already, by {holder}.",
            "Wait until it has ended; then run the same again if it is still wanted.",
        )


class LockLost(TargetError):
    """The session that held the target's lock has ended under way."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"The lock on {label} was lost: its server has restarted, or ended the"
            " session.",
            "Another pull may be at work there: see to that, then run the same again.",
        )


class IsStandby(TargetError):
    """The target's server only follows another one."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"The server of {label} is a standby, which nothing can be written to.",
            "Name a database of its primary, or of another server, as target.",
        )


class NothingInPlace(TargetError):
    """--in-place needs a database that is there."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"There is no database {label} to be filled in place.",
            "Let its owner create it, or leave --in-place out.",
        )


class NameTaken(TargetError):
    """A database with a name that dbpull needs is somebody else's."""

    def __init__(self, dbname: str) -> None:
        super().__init__(
            f"There is a database {dbname} that dbpull did not make.",
            "Rename or drop it: dbpull needs that name while it works.",
        )


class StillConnected(TargetError):
    """Sessions on the old database could not be ended."""

    def __init__(self, label: str, sessions: str) -> None:
        super().__init__(
            f"{label} is in use, and its connections could not be closed: {sessions}.",
            "Stop those programs, then run `invoke db.restore`: the dump is here.",
        )


class NoPrevious(TargetError):
    """There is nothing to go back to."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"There is no previous database of {label} to bring back.",
            "One is kept by each pull unless db.undo is false.",
        )
