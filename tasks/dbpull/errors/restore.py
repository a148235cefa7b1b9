"""Errors about a dump on its way into a database."""

from __future__ import annotations

from collections.abc import Sequence

from dbpull.errors import PullError
from dbpull.errors.remedies import remedy_for


class RestoreError(PullError):
    """A dump can't be restored."""


class MissingExtensions(RestoreError):
    """The target's server lacks extensions that the dump needs."""

    def __init__(
        self, names: Sequence[str], label: str, major: int, *, embedded: bool
    ) -> None:
        listed = ", ".join(names)
        remedy = f"Install it for PostgreSQL {major} ({_packages(names, major)})."
        if embedded:
            remedy = (
                "The embedded PostgreSQL comes without it: install PostgreSQL with its"
                " extensions, and name a database there as target."
            )
        super().__init__(
            f"The dump needs the extension{'s' * (len(names) > 1)} {listed}, which"
            f" the server of {label} does not have.",
            remedy,
        )


class ForbiddenExtensions(RestoreError):
    """The dump needs extensions that only a superuser may create."""

    def __init__(self, names: Sequence[str], user: str, label: str) -> None:
        listed = ", ".join(names)
        super().__init__(
            f"The dump needs {listed}, which {user} may not create on the server of"
            f" {label}.",
            "Use a superuser's role for the target: the server is a development one.",
        )


def _packages(names: Sequence[str], major: int) -> str:
    special = {
        "postgis": f"postgresql-{major}-postgis-3",
        "vector": f"postgresql-{major}-pgvector",
        "pg_partman": f"postgresql-{major}-partman",
        "pg_cron": f"postgresql-{major}-cron",
    }
    packages = {special.get(name, f"postgresql-contrib-{major}") for name in names}
    return "Debian's package " + " and ".join(sorted(packages))


class NotEnoughDisk(RestoreError):
    """The server's disk can't hold the new database beside the old one."""

    def __init__(self, label: str, needed: int, free: int) -> None:
        super().__init__(
            f"The new database needs about {needed / 1e6:,.0f} MB beside the old one,"
            f" and the disk of {label} has {free / 1e6:,.0f} MB left.",
            "Free some, drop the previous database, or leave rows out with skip_data.",
        )


_KEPT = "The dump is kept: `invoke db.restore` tries again."
_RESUMES = "Run the same again where that has been put right."


class RestoreFailed(RestoreError):
    """pg_restore met an error that matters."""

    midway = True

    def __init__(self, what: str, cause: str, remedy: str = "") -> None:
        super().__init__(
            f"Restoring failed at {what}: {cause}.",
            remedy or remedy_for(cause) or _KEPT,
        )

    def before_the_end(self) -> RestoreFailed:
        """The same, where not all of the dump is there yet."""
        return self.advising(_RESUMES) if self.remedy == _KEPT else self


class Incomplete(RestoreError):
    """After the restore something that the dump holds was not there."""

    midway = True

    def __init__(self, missing: Sequence[str]) -> None:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        super().__init__(
            f"The restored database lacks {shown}.",
            "Please report this, with `pg_restore -l` of the dump.",
        )


class NoSuchDump(RestoreError):
    """No dump is here to be restored."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(
            what, remedy or "Fetch one with `invoke db.fetch`, or pass --dump=FILE."
        )
