"""Extensions that serve a server, not an app: a development copy omits them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

from dbpull.archive import Archive, Entry

_WATCHING = frozenset(
    {
        "amcheck", "hypopg", "pageinspect", "pg_buffercache", "pg_freespacemap",
        "pg_prewarm", "pg_proctab", "pg_qualstats", "pg_repack", "pg_stat_kcache",
        "pg_stat_monitor", "pg_stat_statements", "pg_store_plans", "pg_visibility",
        "pg_wait_sampling", "pg_walinspect", "pgrowlocks", "pgstattuple", "sslinfo",
    }
)  # fmt: skip
"""Extensions that watch a server and hold no data of an app's."""
_OF_ITS_SERVER = {
    "pg_cron": ("cron", "can exist in one database of a server only"),
    "pgaudit": ("", "needs its server's shared_preload_libraries"),
    "pglogical": ("pglogical", "would replicate into the copy"),
}
"""Extensions that serve a server: the schema that holds their rows, and the reason."""
ATTACHED = frozenset({"COMMENT", "SECURITY LABEL", "ACL"})
"""Kinds of entries that describe another entry."""


@dataclass(frozen=True)
class Extensions:
    """The extensions of an archive, and which entries go with each."""

    archive: Archive
    creatable: Collection[str]
    """The extensions that the target's server has and our role may create."""

    def why(self, entry: Entry) -> str | None:
        """Why an entry is left out, as or with an extension; None where it stays."""
        if entry.desc == "EXTENSION":
            return self._why(entry)
        for name, dependents in self._upon.items():
            if entry.dump_id in dependents:
                return "" if entry.desc in ATTACHED else f"objects that need {name}"
        table = entry.namespace, entry.tag
        return (
            "" if entry.namespace in self._schemas and table not in self._own else None
        )

    def _why(self, extension: Entry) -> str | None:
        name = extension.tag
        if known := _OF_ITS_SERVER.get(name):
            return f"the extension {name}, which {known[1]}"
        if name in _WATCHING - set(self.creatable) and not self._is_needed(extension):
            return f"the extension {name}, which only watches a server"
        return None

    def _is_needed(self, extension: Entry) -> bool:
        """Whether an object of the app's depends on the extension."""
        return any(
            extension.dump_id in entry.dependencies and entry.desc not in ATTACHED
            for entry in self.archive.entries
        )

    @cached_property
    def _schemas(self) -> frozenset[str]:
        """The schemas with the rows of the extensions that serve a server."""
        return frozenset(_OF_ITS_SERVER[name][0] for name in self._upon) - {""}

    @cached_property
    def _upon(self) -> Mapping[str, frozenset[int]]:
        """The dump ids of the dependents of each extension that serves a server."""
        return {
            entry.tag: self._dependents(entry)
            for entry in self.archive.entries
            if entry.desc == "EXTENSION" and entry.tag in _OF_ITS_SERVER
        }

    def _dependents(self, extension: Entry) -> frozenset[int]:
        """The dump ids that depend on an extension, directly or not.

        Without tables, and without an app's objects in the extension's schema.
        """
        schema = _OF_ITS_SERVER[extension.tag][0]
        found, grows = {extension.dump_id}, True
        while grows:
            dependents = {
                entry.dump_id
                for entry in self.archive.entries
                if not found.isdisjoint(entry.dependencies)
                and entry.desc != "TABLE"
                and (entry.namespace != schema or entry.desc in ATTACHED)
            }
            grows = not dependents <= found
            found |= dependents
        return frozenset(found - {extension.dump_id})

    @cached_property
    def _own(self) -> frozenset[tuple[str | None, str]]:
        """The objects that the dump itself creates, without those of an extension."""
        rows = {"TABLE DATA", "SEQUENCE SET"}
        created = (entry for entry in self.archive.entries if entry.desc not in rows)
        return frozenset((entry.namespace, entry.tag) for entry in created)
