"""The entries that failed in a restore: those tolerated, and those that end it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from dbpull.archive import Entry
from dbpull.errors.restore import RestoreFailed
from dbpull.postgres.privacy import without_values, without_words
from dbpull.postgres.psql import cause
from dbpull.postgres.restore_messages import RestoreMessage
from dbpull.restore.selection import Selection

SHOWN = 10
"""How many failures an error lists; of the others it gives the number."""
ROWS = frozenset({"TABLE DATA", "BLOBS"})
# A server's message on a statement begins with its severity, then two blanks
# (pqBuildErrorMessage3 in src/interfaces/libpq/fe-protocol3.c); libpq's own message
# on a lost connection does not.
_OF_A_STATEMENT = re.compile(r": (?!FATAL|PANIC)\w+ ?:  ")
# A function's unqualified name is not found: pg_restore's sessions search no schema.
_NOT_FOUND = re.compile(
    r"^(?:function|operator|relation|type|table) .* does not exist$"
)
_IN_A_FUNCTION = re.compile(r'(?:PL/pgSQL function (.*\)) line |SQL function (".*?") )')
_HOPELESS = re.compile(
    r"No space left on device|could not extend file|out of (?:shared )?memory"
    r"|terminating connection|canceling statement"
)
_ADVICE = (
    "If the referenced table is in skip_data, skip the rows that refer to it as well."
)


def name(entry: Entry) -> str:
    """An entry as errors show it: `POLICY letters own`."""
    return f"{entry.desc} {entry.tag}"


def fits(entry: Entry, patterns: Iterable[str]) -> bool:
    """Whether a pattern of `tolerate` matches the entry, with its schema or without."""
    names = name(entry), f"{entry.desc} {entry.namespace}.{entry.tag}"
    return any(fnmatchcase(text, pattern) for pattern in patterns for text in names)


def is_hopeless(message: RestoreMessage) -> bool:
    """Whether a message is about more than its entry, so that the restore must end."""
    if not message.dump_id or not _OF_A_STATEMENT.search(message.error):
        return True
    return bool(_HOPELESS.search(message.error))


def failure(message: RestoreMessage) -> RestoreFailed:
    """A message as the error that ends a restore."""
    what = message.entry or "pg_restore"
    remedy = _ADVICE if "FK CONSTRAINT" in what else ""
    return RestoreFailed(what, why(message), remedy)


def why(message: RestoreMessage, entry: Entry | None = None) -> str:
    """The server's reason, without any row's values."""
    if message.raised_by:
        told = without_words(message.raised_by)
    else:
        told = cause(message.error)
        # Before rows are loaded, a server can only quote names of objects.
        if entry is None or entry.section != "pre-data":
            told = without_values(told)
    return f"{told} ({message.context})" if message.context else told


def _functions_without_path(messages: Iterable[RestoreMessage]) -> list[str]:
    """The functions that failed since they have no search_path of their own."""
    found: dict[str, None] = {}
    for message in messages:
        if _NOT_FOUND.search(cause(message.error)):
            inside = filter(None, map(_IN_A_FUNCTION.search, message.more))
            found |= {name[1] or name[2]: None for name in [next(inside, None)] if name}
    return list(found)


def with_dependents(entries: Sequence[Entry], failed: Collection[int]) -> set[int]:
    """The entries that failed, and those that depend on them, by dump id.

    Tables and their rows fail by themselves, but for rows whose table failed. Where a
    security label failed, all do: there may be one for each column.
    """
    found = set(failed)
    labels = {e.dump_id for e in entries if e.desc == "SECURITY LABEL"}
    if not labels.isdisjoint(failed):
        found |= labels
    for entry in entries:
        if entry.desc != "TABLE" and not found.isdisjoint(entry.dependencies):
            found.add(entry.dump_id)
    return found.intersection(entry.dump_id for entry in entries)


@dataclass(frozen=True)
class Failures:
    """The entries that failed, in the dump's order."""

    messages: Sequence[RestoreMessage]
    """Messages on entries of the selection."""
    selection: Selection
    tolerate: Sequence[str]
    """Patterns of the entries that may fail."""

    @cached_property
    def failed(self) -> Mapping[int, RestoreMessage]:
        """The first message on each failed entry, by dump id."""
        first = {message.dump_id: message for message in reversed(self.messages)}
        return {i: first[i] for i in self.selection.by_id if i in first}

    def refuse(self) -> None:
        """Raise RestoreFailed with every failure that is not tolerated."""
        fatal = [i for i in self.failed if i not in self.tolerated]
        if fatal:
            first = [i for i in fatal if not self._excuses(i).intersection(fatal)]
            raise self._error(first, len(fatal) - len(first))

    @cached_property
    def tolerated(self) -> frozenset[int]:
        """The failures that match a pattern, and those that they alone caused."""
        by_id = self.selection.by_id
        found = {i for i in self.failed if fits(by_id[i], self.tolerate)}
        for dump_id in self.failed:
            excuses = self._excuses(dump_id)
            if excuses and excuses <= found:
                found.add(dump_id)
        return frozenset(found)

    def is_of_rows(self, dump_id: int) -> bool:
        """Whether rows, or a key over rows, failed by themselves.

        A failed definition is not the cause then.
        """
        section = self.selection.by_id[dump_id].section
        return section != "pre-data" and not self._causes(dump_id)

    def _excuses(self, dump_id: int) -> frozenset[int]:
        """The failures that excuse a failed entry where they are tolerated.

        Nothing excuses a table; only their own table excuses rows.
        """
        entry = self.selection.by_id[dump_id]
        if entry.desc == "TABLE":
            return frozenset()
        causes = self._causes(dump_id)
        return causes.intersection(entry.dependencies) if entry.desc in ROWS else causes

    def _causes(self, dump_id: int) -> frozenset[int]:
        """The failed entries that made this entry fail, by dump id."""
        found: set[int] = set()
        unseen = self._needs(dump_id)
        while unseen:
            found.add(needed := unseen.pop())
            unseen |= self._needs(needed) - found
        return frozenset(found & self.failed.keys() - {dump_id})

    def _needs(self, dump_id: int) -> set[int]:
        entry = self.selection.by_id.get(dump_id)
        needed = set(entry.dependencies) if entry else set()
        if entry and entry.desc == "FK CONSTRAINT":  # needs the rows of both its tables
            rows = self.selection.tables
            needed |= {e.dump_id for e in rows if needed & set(e.dependencies)}
        return needed

    def _error(self, first: Sequence[int], following: int) -> RestoreFailed:
        by_id, shown = self.selection.by_id, first[:SHOWN]
        told = [(name(by_id[i]), why(self.failed[i], by_id[i])) for i in shown]
        what, reason = told[0]
        if len(first) > 1:
            what = f"{len(first)} entries of the dump"
            reason = "".join(f"\n  {entry}: {text}" for entry, text in told)
            if more := len(first) - len(shown):
                reason += f"\n  and {more:,} more"
        if following:
            reason += f"\n  ({following:,} more failed because of these)"
        entries = [by_id[i] for i in shown]
        remedy = _remedy(entries, [self.failed[i] for i in shown])
        return RestoreFailed(what, reason, remedy, _way_on_without(entries))


def _way_on_without(entries: Sequence[Entry]) -> str:
    """The flag to go on without entries; says plainly where rows would be absent."""
    patterns = ",".join(re.sub(r"[,*?\[\]]", "?", name(entry)) for entry in entries)
    without = f"--tolerate={shlex.quote(patterns)} goes on without"
    tables = [entry.tag for entry in entries if entry.desc == "TABLE DATA"]
    if tables:
        without += f": the new database would lack the rows of {', '.join(tables)}"
    return f"{without}."


def _remedy(entries: Sequence[Entry], messages: Iterable[RestoreMessage]) -> str:
    """The remedy for failed entries; "" where nothing special helps."""
    functions = _functions_without_path(messages)
    if functions:
        paths = (f"ALTER FUNCTION {each} SET search_path = …" for each in functions)
        return (
            f"pg_restore searches no schema: run {'; '.join(paths)} in production, with"
            " the schemas that it needs, and pull a new backup. Until then"
        )
    return _ADVICE if any(e.desc == "FK CONSTRAINT" for e in entries) else ""
