"""Extensions that serve a server, not an app: which a development copy goes without."""

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
"""Extensions that look at a server and hold nothing of an app's."""
_OF_ITS_SERVER = {
    "pg_cron": ("cron", "can exist in one database of a server only"),
    "pgaudit": ("", "needs its server's shared_preload_libraries"),
    "pglogical": ("pglogical", "would replicate into the copy"),
}
"""Extensions that serve a server, not an app: with the schema that holds their rows."""
ATTACHED = frozenset({"COMMENT", "SECURITY LABEL", "ACL"})
"""Entries that say something of another one."""


@dataclass(frozen=True)
class Extensions:
    """Those of an archive."""

    archive: Archive
    creatable: Collection[str]
    """The extensions that the target's server has and our role may create."""

    def why(self, entry: Entry) -> str | None:
        """Why an entry goes with an extension, or is one to be left out; else None."""
        if entry.desc == "EXTENSION":
            return self._why(entry)
        for name in self._gone:
            if entry.dump_id in self._upon[name]:
                return "" if entry.desc in ATTACHED else f"what is built upon {name}"
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
        """Whether anything of an app's is built upon it."""
        return any(
            extension.dump_id in entry.dependencies and entry.desc not in ATTACHED
            for entry in self.archive.entries
        )

    @cached_property
    def _gone(self) -> frozenset[str]:
        """The extensions that serve a server and are left out."""
        entries = (e for e in self.archive.entries if e.desc == "EXTENSION")
        names = (entry.tag for entry in entries if self._why(entry))
        return frozenset(names) & _OF_ITS_SERVER.keys()

    @cached_property
    def _schemas(self) -> frozenset[str]:
        """The schemas of those, where their own rows are."""
        return frozenset(_OF_ITS_SERVER[name][0] for name in self._gone) - {""}

    @cached_property
    def _upon(self) -> Mapping[str, frozenset[int]]:
        """What depends on each that serves a server, through others too."""
        return {
            entry.tag: self._dependents(entry)
            for entry in self.archive.entries
            if entry.desc == "EXTENSION" and entry.tag in _OF_ITS_SERVER
        }

    def _dependents(self, extension: Entry) -> frozenset[int]:
        """But for tables, and what an app has in its schema: that hangs on it, too."""
        schema = _OF_ITS_SERVER[extension.tag][0]
        found, more = {extension.dump_id}, True
        while more:
            upon = {
                entry.dump_id
                for entry in self.archive.entries
                if not found.isdisjoint(entry.dependencies)
                and entry.desc != "TABLE"
                and (entry.namespace != schema or entry.desc in ATTACHED)
            }
            more = not upon <= found
            found |= upon
        return frozenset(found - {extension.dump_id})

    @cached_property
    def _own(self) -> frozenset[tuple[str | None, str]]:
        """What the dump itself creates: an extension's own things are not among it."""
        rows = {"TABLE DATA", "SEQUENCE SET"}
        those = (one for one in self.archive.entries if one.desc not in rows)
        return frozenset((one.namespace, one.tag) for one in those)
