"""What failed of a restore: what a user goes on without, and what ends it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from dbpull.archive import Entry
from dbpull.errors.remedies import remedy_for
from dbpull.errors.restore import KEPT, RestoreFailed
from dbpull.postgres.privacy import without_values, without_words
from dbpull.postgres.psql import cause
from dbpull.postgres.restore_messages import RestoreMessage
from dbpull.restore.selection import Selection

SHOWN = 10
"""Failures that are told; of more, their number."""
ROWS = frozenset({"TABLE DATA", "BLOBS"})
# What a server says of a statement begins with a word of its weight, then two blanks
# (pqBuildErrorMessage3 in src/interfaces/libpq/fe-protocol3.c); libpq's own words,
# of a connection that is lost, do not.
_OF_A_STATEMENT = re.compile(r": (?!FATAL|PANIC)\w+ ?:  ")
# What a function calls, in a session that searches no schema, as pg_restore's do.
_NOT_FOUND = re.compile(
    r"^(?:function|operator|relation|type|table) .* does not exist$"
)
_IN_A_FUNCTION = re.compile(r'(?:PL/pgSQL function (.*\)) line |SQL function (".*?") )')
_HOPELESS = re.compile(
    r"No space left on device|could not extend file|out of (?:shared )?memory"
    r"|terminating connection|canceling statement"
)


def name(entry: Entry) -> str:
    """An entry as errors show it: `POLICY letters own`."""
    return f"{entry.desc} {entry.tag}"


def fits(entry: Entry, patterns: Iterable[str]) -> bool:
    """Whether a pattern of `tolerate` means the entry, with its schema or without."""
    names = name(entry), f"{entry.desc} {entry.namespace}.{entry.tag}"
    return any(fnmatchcase(one, pattern) for pattern in patterns for one in names)


def is_hopeless(complaint: RestoreMessage) -> bool:
    """Whether it is about more than its entry, so that nothing can follow it."""
    if not complaint.dump_id or not _OF_A_STATEMENT.search(complaint.error):
        return True
    return bool(_HOPELESS.search(complaint.error))


def failure(complaint: RestoreMessage) -> RestoreFailed:
    """It alone, as the error that ends a restore."""
    what = complaint.item or "pg_restore"
    remedy = _ADVICE if "FK CONSTRAINT" in what else ""
    return RestoreFailed(what, why(complaint), remedy)


def why(complaint: RestoreMessage, entry: Entry | None = None) -> str:
    """The server's reason, without any row's values."""
    if complaint.raised_by:
        told = without_words(complaint.raised_by)
    else:
        told = cause(complaint.error)
        # Before there are rows, what is quoted are the names of objects.
        if entry is None or entry.section != "pre-data":
            told = without_values(told)
    return f"{told} ({complaint.context})" if complaint.context else told


_ADVICE = (
    "If the table that it refers to is in skip_data, skip the rows that refer to it as"
    " well."
)


def functions_without_path(complaints: Iterable[RestoreMessage]) -> list[str]:
    """The functions that did not find what they call, for want of a search_path."""
    found: dict[str, None] = {}
    for one in complaints:
        if _NOT_FOUND.search(cause(one.error)):
            inside = filter(None, map(_IN_A_FUNCTION.search, one.more))
            found |= {name[1] or name[2]: None for name in [next(inside, None)] if name}
    return list(found)


def with_dependents(entries: Sequence[Entry], failed: Collection[int]) -> set[int]:
    """What of the entries failed, or can't be there without what did, by dump id.

    Tables and their rows are left to fail themselves, but for rows without a table.
    Where one security label failed, others would: there may be one for each column.
    """
    found = set(failed)
    labels = {one.dump_id for one in entries if one.desc == "SECURITY LABEL"}
    if not labels.isdisjoint(failed):
        found |= labels
    for entry in entries:
        if entry.desc != "TABLE" and not found.isdisjoint(entry.dependencies):
            found.add(entry.dump_id)
    return found.intersection(entry.dump_id for entry in entries)


@dataclass(frozen=True)
class Failures:
    """The entries that failed, in the dump's order."""

    selection: Selection
    tolerate: Sequence[str]
    """The patterns of what a user goes on without."""
    failed: Mapping[int, RestoreMessage]
    """By dump id, of each entry what was complained of first."""

    @classmethod
    def of(
        cls,
        complaints: Iterable[RestoreMessage],
        selection: Selection,
        tolerate: Sequence[str],
    ) -> Failures:
        """Sort complaints. Raises RestoreFailed for one that is of no entry."""
        found: dict[int, RestoreMessage] = {}
        for complaint in complaints:
            if complaint.harmless:
                continue
            if complaint.dump_id not in selection.by_id:
                raise failure(complaint)
            found.setdefault(complaint.dump_id, complaint)
        in_order = {i: found[i] for i in selection.by_id if i in found}
        return cls(selection, tolerate, in_order)

    def refuse(self) -> None:
        """Raise RestoreFailed for all that nobody said may be absent."""
        left = [i for i in self.failed if i not in self.tolerated]
        if left:
            first = [i for i in left if not self._excuses(i).intersection(left)]
            raise self._all(first, len(left) - len(first))

    @cached_property
    def tolerated(self) -> frozenset[int]:
        """What fits a pattern, and what failed because of that alone."""
        by_id = self.selection.by_id
        found = {i for i in self.failed if fits(by_id[i], self.tolerate)}
        for dump_id in self.failed:
            excuses = self._excuses(dump_id)
            if excuses and excuses <= found:
                found.add(dump_id)
        return frozenset(found)

    def is_of_rows(self, dump_id: int) -> bool:
        """Whether rows failed, or a key over them, and not because of a definition."""
        section = self.selection.by_id[dump_id].section
        return section != "pre-data" and not self._causes(dump_id)

    def _excuses(self, dump_id: int) -> frozenset[int]:
        """The failures with which it goes unasked.

        A table never goes so, nor do rows but with their own table.
        """
        entry = self.selection.by_id[dump_id]
        if entry.desc == "TABLE":
            return frozenset()
        causes = self._causes(dump_id)
        return causes.intersection(entry.dependencies) if entry.desc in ROWS else causes

    def _causes(self, dump_id: int) -> frozenset[int]:
        """The failed entries that made this entry fail, by dump id."""
        found: set[int] = set()
        left = self._needs(dump_id)
        while left:
            found.add(one := left.pop())
            left |= self._needs(one) - found
        return frozenset(found & self.failed.keys() - {dump_id})

    def _needs(self, dump_id: int) -> set[int]:
        entry = self.selection.by_id.get(dump_id)
        needed = set(entry.dependencies) if entry else set()
        if entry and entry.desc == "FK CONSTRAINT":  # it needs rows in both its tables
            rows = self.selection.tables
            needed |= {e.dump_id for e in rows if needed & set(e.dependencies)}
        return needed

    def _all(self, first: Sequence[int], following: int) -> RestoreFailed:
        by_id, shown = self.selection.by_id, first[:SHOWN]
        told = [(name(by_id[i]), why(self.failed[i], by_id[i])) for i in shown]
        what, reason = told[0]
        if len(first) > 1:
            what = f"{len(first)} entries of the dump"
            reason = "".join(f"\n  {one}: {its}" for one, its in told)
            if more := len(first) - len(shown):
                reason += f"\n  and {more:,} more"
        if following:
            reason += f"\n  ({following:,} more failed since these did)"
        functions = functions_without_path(self.failed[i] for i in shown)
        remedy = _remedy([by_id[i] for i in shown], reason, functions)
        return RestoreFailed(what, reason, remedy)


def _remedy(
    entries: Sequence[Entry], reason: str, functions: Sequence[str] = ()
) -> str:
    """What to do about them; that rows would be absent is said plainly."""
    patterns = ",".join(re.sub(r"[,*?\[\]]", "?", name(entry)) for entry in entries)
    without = f"--tolerate={shlex.quote(patterns)} goes on without"
    tables = [entry.tag for entry in entries if entry.desc == "TABLE DATA"]
    if tables:
        without += f": the new database would lack the rows of {', '.join(tables)}"
    keys = _ADVICE if any(e.desc == "FK CONSTRAINT" for e in entries) else ""
    paths = "; ".join(f"ALTER FUNCTION {one} SET search_path = …" for one in functions)
    if paths:
        paths = (
            f"pg_restore searches no schema: run {paths} in production, with the"
            " schemas that it needs, and pull a new backup. Until then"
        )
    return f"{paths or keys or remedy_for(reason) or KEPT} {without}."
