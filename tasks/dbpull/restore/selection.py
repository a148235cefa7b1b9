"""What of an archive is restored, and what is left out: said, with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property

from dbpull.archive import Archive, Entry

_MONITORING = frozenset({"pg_stat_statements", "pg_buffercache", "pg_repack", "hypopg"})
"""Extensions that look at a server and hold nothing of an app's."""


@dataclass(frozen=True)
class Selection:
    """The entries to restore, in the archive's order, and what is not among them."""

    entries: tuple[Entry, ...]
    left_out: tuple[str, ...]
    """Each kind of thing that is left out, with its number and why."""
    skipped: tuple[str, ...]
    """Tables whose rows are left out, as `schema.table`."""
    unmatched: tuple[str, ...]
    """Patterns of skip_data that fit no table."""

    def of(self, section: str) -> tuple[Entry, ...]:
        """The entries of a section: `pre-data`, `data`, `post-data`.

        What stands behind a later section's entries belongs to that, whatever it says:
        pg_dump puts there what needs them. Comments and the like name none and belong
        to what stands before them, as pg_restore has it (pg_backup_archiver.c,
        ProcessArchiveRestoreOptions).
        """
        return self._of.get(section, ())

    @cached_property
    def _of(self) -> Mapping[str, tuple[Entry, ...]]:
        order = ("pre-data", "data", "post-data")
        found: dict[str, list[Entry]] = {section: [] for section in order}
        current = 0
        for entry in self.entries:
            if entry.section in order:
                current = max(current, order.index(entry.section))
            found[order[current]].append(entry)
        return {section: tuple(entries) for section, entries in found.items()}

    @cached_property
    def by_id(self) -> Mapping[int, Entry]:
        """The entries by dump id."""
        return {entry.dump_id: entry for entry in self.entries}

    @property
    def tables(self) -> tuple[Entry, ...]:
        """The tables whose rows are restored."""
        return tuple(entry for entry in self.entries if entry.desc == "TABLE DATA")

    @property
    def extensions(self) -> tuple[str, ...]:
        """The extensions that the target's server must have."""
        return tuple(entry.tag for entry in self.entries if entry.desc == "EXTENSION")


def select(
    archive: Archive,
    skip_data: Sequence[str] = (),
    *,
    creatable: Collection[str],
    superuser: bool,
) -> Selection:
    """Choose the entries that can serve on the target's server.

    `creatable` are the extensions that its server has and our role may create.
    """
    reasons: Counter[str] = Counter()
    skipped: list[str] = []
    kept: list[Entry] = []
    for entry in archive.entries:
        if reason := _no_use(entry, creatable, superuser=superuser):
            reasons[reason] += 1
        elif entry.desc == "TABLE DATA" and _fits(entry, skip_data):
            skipped.append(_qualified(entry))
        else:
            kept.append(entry)
    left_out = tuple(f"{reason} ({count})" for reason, count in reasons.items())
    return Selection(
        tuple(kept), left_out, tuple(skipped), _unmatched(archive, skip_data)
    )


def _no_use(entry: Entry, creatable: Collection[str], *, superuser: bool) -> str:
    """Why an entry can't serve here; "" where it can."""
    # The functions of _heroku call roles that exist at Heroku only; restored by a
    # superuser, its event triggers make every later DROP EXTENSION fail.
    if entry.namespace == "_heroku" or _is_heroku_schema(entry):
        return "Heroku's own schema _heroku"
    if entry.desc == "EVENT TRIGGER":
        if "_heroku" in (entry.definition or ""):
            return "Heroku's own event triggers"
        return "" if superuser else "event triggers, which only a superuser can create"
    if _is_about(entry, "EVENT TRIGGER"):
        return "comments on event triggers"
    if _is_about(entry, "EXTENSION"):
        return "comments on extensions"
    if entry.desc.startswith("SUBSCRIPTION") or _is_about(entry, "SUBSCRIPTION"):
        return "subscriptions, which would replicate into the copy"
    if entry.desc == "USER MAPPING":
        return "logins at other servers, with their passwords"
    if entry.desc == "EXTENSION" and entry.tag in _MONITORING - set(creatable):
        return f"the extension {entry.tag}, which only watches a server"
    return ""


def _is_heroku_schema(entry: Entry) -> bool:
    if entry.desc == "SCHEMA":
        return entry.tag == "_heroku"
    # Heroku dumps with --quote-all-identifiers, which quotes in these tags too.
    return _is_about(entry, "SCHEMA") and entry.tag.split()[1].strip('"') == "_heroku"


def _is_about(entry: Entry, kind: str) -> bool:
    """Whether it is a comment, or the like, on an object of that kind."""
    attached = {"COMMENT", "SECURITY LABEL", "ACL"}
    return entry.desc in attached and entry.tag.startswith(f"{kind} ")


def _qualified(entry: Entry) -> str:
    return f"{entry.namespace}.{entry.tag}"


def _fits(entry: Entry, patterns: Sequence[str]) -> bool:
    """Whether a pattern means this table: `table` in any schema, or `schema.table`."""
    return any(
        fnmatchcase(_qualified(entry) if "." in pattern else entry.tag, pattern)
        for pattern in patterns
    )


def _unmatched(archive: Archive, patterns: Sequence[str]) -> tuple[str, ...]:
    tables = [entry for entry in archive.entries if entry.desc == "TABLE DATA"]
    return tuple(
        pattern
        for pattern in patterns
        if not any(_fits(table, [pattern]) for table in tables)
    )
