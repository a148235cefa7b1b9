"""The entries of an archive that are not restored on a server, and the reasons."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dbpull.archive import IDENTIFIER, Archive, Entry, unquoted
from dbpull.platforms import Platform
from dbpull.restore.extensions import ATTACHED, Extensions

_SERVER = re.compile(rf"\sSERVER ({IDENTIFIER})")
# How pg_dump words a policy: dumpPolicy in src/bin/pg_dump/pg_dump.c.
_POLICY = re.compile(
    rf"CREATE POLICY {IDENTIFIER} ON {IDENTIFIER}(?:\.{IDENTIFIER})?"
    rf"(?: AS RESTRICTIVE)?(?: FOR [A-Z]+)?"
    rf" TO ({IDENTIFIER}(?:, {IDENTIFIER})*)(?= USING| WITH|;|\s*\Z)"
)
SUBSCRIPTIONS = "subscriptions, which would replicate into the copy"


@dataclass(frozen=True)
class ServerFacts:
    """The facts of the target's server and of our role there that decide on entries."""

    creatable: Collection[str]
    """The extensions that the server has and our role may create."""
    superuser: bool
    roles: Collection[str] | None = None
    """The server's roles; None where they are not known."""
    owns_public: bool = True
    """Whether the schema `public` of the new database is ours."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """The schema of each extension that the database has and keeps, by name."""
    kept_rows: Collection[tuple[str, str]] = ()
    """Those extensions' tables and sequences with rows in the dump: schema, name."""


@dataclass(frozen=True)
class LeftOut:
    """The entries of an archive that are left out for a server."""

    archive: Archive
    server: ServerFacts
    platform: Platform

    @cached_property
    def reasons(self) -> Mapping[int, str]:
        """Why each entry is left out, by dump id; "" where messages omit it."""
        entries = self.archive.entries
        given = ((entry.dump_id, self._why(entry)) for entry in entries)
        found = {dump_id: why for dump_id, why in given if why is not None}
        for entry in entries:
            # The schema `public` is left out since it exists: its comment serves.
            if is_about(entry, "SCHEMA", "public") or entry.desc not in ATTACHED:
                continue
            if not found.keys().isdisjoint(entry.dependencies):
                found.setdefault(entry.dump_id, "")
        return found

    @cached_property
    def unfilled(self) -> tuple[Entry, ...]:
        """Materialized views that read foreign tables whose logins are left out."""
        return tuple(
            entry
            for entry in self.archive.entries
            if entry.desc == "MATERIALIZED VIEW DATA" and self._reads_away(entry)
        )

    def lacked_roles(self, entry: Entry) -> tuple[list[str], list[str]]:
        """The roles of a policy: those missing on the server, and those existing."""
        found = _POLICY.match(entry.definition) if entry.desc == "POLICY" else None
        if not found or self.server.roles is None:
            return [], []
        named = [unquoted(name) for name in re.findall(IDENTIFIER, found[1])]
        existing = [role for role in named if role in self.server.roles]
        return [role for role in named if role not in existing], existing

    def _why(self, entry: Entry) -> str | None:
        """Why an entry is left out; None where it stays."""
        rules = (
            self._platforms, self._event_trigger, self._attached, self._policy,
            self._kept, self._extensions.why, self._rows, _kind,
        )  # fmt: skip
        found = (rule(entry) for rule in rules)
        return next((why for why in found if why is not None), None)

    def _platforms(self, entry: Entry) -> str | None:
        schema = self.platform.schema
        is_schema = entry.desc == "SCHEMA" and entry.tag == schema
        if is_schema or entry.namespace == schema or is_about(entry, "SCHEMA", schema):
            return f"{self.platform.name}'s own schema {schema}"
        return None

    def _event_trigger(self, entry: Entry) -> str | None:
        if entry.desc != "EVENT TRIGGER":
            return None
        schema = re.escape(self.platform.schema)
        # Dumps made with --quote-all-identifiers quote the schema.
        runs = rf'\sEXECUTE (?:FUNCTION|PROCEDURE) "?{schema}"?\.'
        if re.search(runs, entry.definition):
            return f"{self.platform.name}'s own event triggers"
        if not self.server.superuser:
            return "event triggers, which only a superuser can create"
        return None

    def _attached(self, entry: Entry) -> str | None:
        if is_about(entry, "EXTENSION"):
            return "comments on extensions"
        if is_about(entry, "SUBSCRIPTION"):
            return SUBSCRIPTIONS
        if is_about(entry, "SCHEMA", "public") and not self.server.owns_public:
            return "the comment on the schema public, which this role does not own"
        return None

    def _policy(self, entry: Entry) -> str | None:
        lacked, existing = self.lacked_roles(entry)
        return self._for_nobody if lacked and not existing else None

    def _kept(self, entry: Entry) -> str | None:
        kept = self.server.kept
        names = {"EXTENSION": set(kept), "SCHEMA": set(kept.values())}
        return "" if entry.tag in names.get(entry.desc, set()) else None

    def _rows(self, entry: Entry) -> str | None:
        if (entry.namespace, entry.tag) in self.server.kept_rows:
            return ""
        if entry in self.unfilled:
            return "rows of materialized views over foreign tables, without logins"
        return None

    @cached_property
    def _extensions(self) -> Extensions:
        return Extensions(self.archive, self.server.creatable)

    @cached_property
    def _for_nobody(self) -> str:
        found = (self.lacked_roles(entry) for entry in self.archive.entries)
        roles = sorted(
            {r for lacked, existing in found if not existing for r in lacked}
        )
        create = creating(roles)
        return f"policies for roles that this server lacks (before a pull: {create})"

    @cached_property
    def _away(self) -> frozenset[int]:
        """The foreign tables whose servers want a login."""
        definitions = (
            _SERVER.search(entry.definition)
            for entry in self.archive.entries
            if entry.desc == "USER MAPPING"
        )
        names = {unquoted(found[1]) for found in definitions if found}
        return frozenset(
            entry.dump_id
            for entry in self.archive.entries
            if entry.desc == "FOREIGN TABLE"
            and (found := _SERVER.search(entry.definition))
            and unquoted(found[1]) in names
        )

    def _reads_away(self, view: Entry) -> bool:
        seen: set[int] = set()
        unseen = set(view.dependencies)
        while unseen and self._away:
            seen.add(dump_id := unseen.pop())
            if entry := self.archive.by_id.get(dump_id):
                unseen |= set(entry.dependencies) - seen
        return not seen.isdisjoint(self._away)


def creating(roles: Iterable[str]) -> str:
    """The SQL statements that create these roles."""
    quoted = (role.replace('"', '""') for role in roles)
    return "; ".join(f'CREATE ROLE "{role}"' for role in quoted)


def is_about(entry: Entry, kind: str, name: str = "") -> bool:
    """Whether an entry is a comment, or the like, on an object of a kind and a name.

    A dump made with --quote-all-identifiers quotes names in these tags, too.
    """
    if entry.desc not in ATTACHED or not entry.tag.startswith(f"{kind} "):
        return False
    return not name or entry.tag.split(" ", 1)[1].strip('"') == name


def _kind(entry: Entry) -> str | None:
    if entry.desc.startswith("PUBLICATION"):
        return "publications: nothing is replicated from the copy"
    if entry.desc.startswith("SUBSCRIPTION"):
        return SUBSCRIPTIONS
    if entry.desc == "USER MAPPING":
        return "logins at other servers, with their passwords"
    if entry.desc == "SCHEMA" and entry.tag == "public":
        # Of `pg_dump -n public`: every database has that schema. Other dumps have just
        # a remark there.
        created = entry.definition.lstrip().startswith("CREATE SCHEMA")
        return "" if created else None
    return None
