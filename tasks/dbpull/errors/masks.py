"""Errors about masks: rules that can't be used, columns that they can't mask."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dbpull.errors import PullError
from dbpull.errors.spelling import did_you_mean
from dbpull.naming import command, setting
from dbpull.words import counted, listed


class MaskError(PullError):
    """The rules in `mask` can't be used, or a column can't be masked by its rule."""


class UnfitRule(MaskError):
    """A rule can't mask a column, so nothing was restored."""

    midway = True

    def __init__(self, column: str, why: str, remedy: str) -> None:
        super().__init__(f"{column} {why}.", f"{remedy} No row was restored.")


class FitsNothing(MaskError):
    """A pattern fits no column or table, most likely by a typing error."""

    midway = True

    def __init__(self, key: str, pattern: str, what: str, known: Collection[str]):
        near = did_you_mean(pattern, known)
        super().__init__(
            f"{setting(key)}: no {what} fits {pattern}.",
            f"{near}Correct the pattern, or remove it. No row was restored.",
        )


class UndecidedColumns(MaskError):
    """Columns that no rule masks and nobody has decided to keep, so nothing is done."""

    midway = True

    def __init__(self, columns: Sequence[str]) -> None:
        count = counted(len(columns), "column")
        are = "is" if len(columns) == 1 else "are"
        super().__init__(
            f"Nothing says whether {count} {are} personal: {listed(tuple(columns))}.",
            f"Give each a rule under {setting('mask')}, or a line without ? in"
            f" kept-columns.txt: after `{command('fetch')}`, `{command('mask')} --init`"
            " proposes them. Or pass --blank-new this once. Nothing was restored.",
        )
