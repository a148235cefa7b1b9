"""Optional features of a server that a dump may need: XML, ICU, lz4.

The embedded server lacks them. A dump's definitions show the need before the restore.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dbpull.archive import Entry
from dbpull.postgres.psql import Psql

# How pg_dump words them: dumpTableSchema, dumpCollation in src/bin/pg_dump/pg_dump.c.
_NEEDS = {
    "lz4": re.compile(r'SET COMPRESSION "?lz4\b'),
    "ICU": re.compile(r'\bprovider = \'?icu\b|-x-icu"'),
    "XML": re.compile(r'^\s+(?:"(?:[^"]|"")+"|\S+) (?:"?pg_catalog"?\.)?"?xml\b', re.M),
}
_LACKS = """
\\set ON_ERROR_STOP off
SELECT xml '<a/>' IS DOCUMENT AS has_xml \\gset
\\set ON_ERROR_STOP on
SELECT 'lz4' WHERE NOT EXISTS (
  SELECT FROM pg_settings
  WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals))
UNION ALL
SELECT 'ICU' WHERE NOT EXISTS (SELECT FROM pg_collation WHERE collname LIKE '%-x-icu')
UNION ALL
SELECT 'XML' WHERE NOT :{?has_xml};
"""


def lacked(psql: Psql, entries: Iterable[Entry]) -> Mapping[str, list[Entry]]:
    """The features that the server was built without, with the entries that need each.

    Raises CannotConnect, SqlFailed.
    """
    needed = _needed(list(entries))
    if not needed:
        return {}
    rows = psql.run(_LACKS, doing="Querying the server's features")
    lacks = {name for (name,) in rows}
    return {name: users for name, users in needed.items() if name in lacks}


def _needed(entries: list[Entry]) -> dict[str, list[Entry]]:
    found = {
        name: [entry for entry in entries if words.search(entry.definition)]
        for name, words in _NEEDS.items()
    }
    # A column of type xml can be created, but its rows can't be read.
    tables = {e.dump_id for e in found["XML"] if e.desc == "TABLE"}
    found["XML"] = [
        entry
        for entry in entries
        if entry.desc == "TABLE DATA" and tables.intersection(entry.dependencies)
    ]
    return {name: users for name, users in found.items() if users}
