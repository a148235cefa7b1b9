"""Errors about the rows of the replaced database that come along."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dbpull.errors import PullError
from dbpull.errors.spelling import did_you_mean
from dbpull.naming import setting

_FOREIGN_KEY, _UNIQUE = "23503", {"23505", "23P01"}


class KeptRowsError(PullError):
    """Rows of the replaced database can't come along."""

    midway = True


class AmbiguousTable(KeptRowsError):
    """A name in `keep_rows` is that of tables in several schemas."""

    def __init__(self, name: str, labels: Sequence[str]) -> None:
        super().__init__(
            f"{setting('keep_rows')}: {name} may be {' or '.join(labels[:3])}.",
            "Write the schema, too.",
        )


class NoTableToKeep(KeptRowsError):
    """A name in `keep_rows` is a table of neither the old nor the new database."""

    def __init__(self, name: str, known: Collection[str]) -> None:
        super().__init__(
            f"{setting('keep_rows')}: there is no table {name}, neither in the old"
            " database nor in the dump.",
            f"{did_you_mean(name, known)}Correct the name, or remove it.",
        )


class KeptRowsClash(KeptRowsError):
    """Kept rows break a constraint of the new database; no value is told."""

    def __init__(self, table: str, constraint: str, code: str) -> None:
        remedy = f"Correct the condition of {table} in {setting('keep_rows')}."
        if code == _FOREIGN_KEY:
            remedy = f"Have {setting('keep_rows')} keep the rows they refer to as well."
        if code in _UNIQUE:
            remedy = (
                "A row from the dump has the same values, and another primary key:"
                f" leave such rows out of {table} in {setting('keep_rows')}."
            )
        super().__init__(
            f"The kept rows of {table} do not fit into the new database: they break"
            f" {constraint}.",
            remedy,
        )
