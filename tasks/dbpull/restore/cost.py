"""The estimated cost of a key or an index: the engine starts the longest first."""

from __future__ import annotations

import re

from dbpull.archive import Archive, Entry

_NAME = r'"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*'
_COLUMN = re.compile(rf"^    ({_NAME}) (.+?),?$", re.M)
# Each kind's time as a share of the time to load its table's rows, as measured
# (tests/bench/large.sql).
_PLAIN = {"CONSTRAINT": 0.3, "INDEX": 0.4, "FK CONSTRAINT": 0.3}
_METHODS = {"gin": 2.0, "gist": 2.0, "spgist": 1.0}
_METHOD = re.compile(r' USING "?(\w+)"? \(')
# citext folds both sides of each comparison; other text types may have slow collations.
_TYPES = {"citext": 1.5, "text": 0.5, "character": 0.5}


def cost(archive: Archive, entry: Entry, rows: int) -> float:
    """The cost of an entry: bytes of the dump whose loading takes as long.

    `rows` is the size of its table's rows, in bytes of the dump.
    """
    if entry.desc == "FK CONSTRAINT":
        return rows * _PLAIN[entry.desc]
    method = _METHOD.search(entry.definition)
    by_method = _METHODS.get(method[1]) if method else None
    return rows * (by_method or _by_type(archive, entry))


def _by_type(archive: Archive, entry: Entry) -> float:
    used = set(re.findall(_NAME, entry.definition.partition("(")[2]))
    needed = (archive.by_id.get(dump_id) for dump_id in entry.dependencies)
    types = " ".join(
        kind
        for table in needed
        if table and table.desc == "TABLE"
        for column, kind in _COLUMN.findall(table.definition)
        if column in used
    )
    slow = (w for word, w in _TYPES.items() if word in types)
    return max(slow, default=_PLAIN[entry.desc])
