"""Errors about a restore: the dump's needs, the server, pg_restore."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from dbpull.errors import PullError
from dbpull.errors.packages import packages
from dbpull.errors.remedies import remedy_for
from dbpull.naming import command


class RestoreError(PullError):
    """A dump can't be restored."""


class MissingExtensions(RestoreError):
    """The target's server lacks extensions that the dump needs."""

    def __init__(
        self, names: Sequence[str], label: str, major: int, *, embedded: bool
    ) -> None:
        listed = ", ".join(names)
        remedy = f"Install it for PostgreSQL {major} ({packages(names, major)})."
        if embedded:
            remedy = (
                "The embedded PostgreSQL comes without it: install PostgreSQL with its"
                " extensions, and name a database there as target."
            )
        remedy += f" {_without(names)}"
        super().__init__(
            f"The dump needs the extension{'s' * (len(names) > 1)} {listed}, which"
            f" the server of {label} does not have.",
            remedy,
        )


def _without(names: Sequence[str]) -> str:
    patterns = shlex.quote(",".join(f"EXTENSION {name}" for name in names))
    return f"Where no table needs it, --tolerate={patterns} goes on without."


class ForbiddenExtensions(RestoreError):
    """The dump needs extensions that only a superuser may create."""

    def __init__(self, names: Sequence[str], user: str, label: str) -> None:
        listed = ", ".join(names)
        super().__init__(
            f"The dump needs {listed}, which {user} may not create on the server of"
            f" {label}.",
            "Use a superuser's role for the target: the server is a development one."
            f" {_without(names)}",
        )


class NoSuchTable(RestoreError):
    """--skip-data names a table that is not in the dump."""

    def __init__(self, near: Mapping[str, str]) -> None:
        named = ", ".join(near)
        meant = ", ".join(table for table in near.values() if table)
        remedy = f"Did you mean {meant}?" if meant else "`pg_restore -l` lists them."
        if any(" " in pattern and " " not in table for pattern, table in near.items()):
            remedy = "Commas separate: --skip-data=first,second."
        super().__init__(f"--skip-data: the dump has no table {named}.", remedy)


class MissingFeatures(RestoreError):
    """The target's server was built without features that the dump needs."""

    def __init__(
        self, needed: Mapping[str, Sequence[str]], label: str, *, embedded: bool
    ) -> None:
        listed = "; ".join(
            f"{feature}, for {', '.join(names[:3])}{' …' * (len(names) > 3)}"
            for feature, names in needed.items()
        )
        server = "the embedded PostgreSQL" if embedded else f"the server of {label}"
        super().__init__(
            f"The dump needs features that {server} was built without: {listed}.",
            "Name a database of a PostgreSQL that has it as target: the packages of"
            " Debian, of PostgreSQL itself and of Homebrew do. Or leave those tables'"
            " rows out with skip_data, other entries with --tolerate.",
        )


_KEPT = f"The dump is kept: `{command('restore')}` tries again."
_AGAIN = "Correct the cause, then run the same command again."


class RestoreFailed(RestoreError):
    """pg_restore met an error that matters; `without` is a way on without the entry."""

    midway = True

    def __init__(
        self,
        where: str,
        cause: str,
        remedy: str = "",
        without: str = "",
        *,
        usual: str = _KEPT,
    ) -> None:
        self._parts = where, cause, remedy, without
        super().__init__(
            f"Restoring failed at {where}: {cause}.",
            f"{remedy or remedy_for(cause) or usual} {without}".strip(),
        )

    def before_the_end(self) -> RestoreFailed:
        """The error where no whole dump is kept for another try."""
        return RestoreFailed(*self._parts, usual=_AGAIN)


class Incomplete(RestoreError):
    """The restored database lacks objects of the dump."""

    midway = True

    def __init__(self, missing: Sequence[str]) -> None:
        shown = ", ".join(missing[:5]) + (" …" if len(missing) > 5 else "")
        super().__init__(
            f"The restored database lacks {shown}.",
            "Please report this, with `pg_restore -l` of the dump.",
        )


class NoSuchDump(RestoreError):
    """No dump is stored to be restored."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(
            what, remedy or f"Fetch one with `{command('fetch')}`, or pass --dump=FILE."
        )
