"""Keys in two statements, so that the long one leaves their tables to other jobs.

A unique key is built as an index, beside other indexes of the table, and then made the
constraint that the dump has. A foreign key is declared, and then validated while
indexes of the table that it refers to are built. The resulting database is the same;
the dump's single statement would hold the table's strongest lock all the time, and idle
cores would wait for it.

Source of the dump's statements: dumpConstraint in src/bin/pg_dump/pg_dump.c.
"""

from __future__ import annotations

import re

from dbpull.archive import Archive, Entry

_NAME = r'(?:"(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)'
_NAMES = rf"{_NAME}(?:, {_NAME})*"
_ADDED = (
    rf"ALTER TABLE ONLY (?P<table>{_NAME}\.{_NAME})\n"
    rf"    ADD CONSTRAINT (?P<name>{_NAME}) "
)
# A statement that does not match stays as it is: right, if slower.
_UNIQUE = re.compile(
    rf"{_ADDED}UNIQUE (?P<columns>\({_NAMES}\))(?P<included> INCLUDE \({_NAMES}\))?"
    r"(?P<options> WITH \([^()';]*(?:'[^()';]*'[^()';]*)*\))?"
    r"(?P<deferred> DEFERRABLE(?: INITIALLY DEFERRED)?)?;\n"
)
_REFERENCE = re.compile(
    rf"{_ADDED}(?P<key>FOREIGN KEY \({_NAMES}\) REFERENCES .+);\n", re.S
)
_WITHOUT_VALIDATION = re.compile(r"NOT (?:VALID|ENFORCED)\Z")


def two_steps(archive: Archive, entry: Entry) -> tuple[str, str] | None:
    """The two statements for a unique or a foreign key; None for a key in one piece."""
    if _is_partitioned(archive, entry):
        return None
    if found := _UNIQUE.fullmatch(entry.definition):
        return _unique(found)
    found = _REFERENCE.fullmatch(entry.definition)
    if found and not _WITHOUT_VALIDATION.search(found["key"]):
        return _reference(found)
    return None


def _unique(found: re.Match[str]) -> tuple[str, str]:
    table, name = found["table"], found["name"]
    index = f"CREATE UNIQUE INDEX {name} ON {table} USING btree {found['columns']}"
    key = f"UNIQUE USING INDEX {name}{found['deferred'] or ''}"
    return (
        f"{index}{found['included'] or ''}{found['options'] or ''};\n",
        f"ALTER TABLE ONLY {table}\n    ADD CONSTRAINT {name} {key};\n",
    )


def _reference(found: re.Match[str]) -> tuple[str, str]:
    altered, name = f"ALTER TABLE ONLY {found['table']}", found["name"]
    return (
        f"{altered}\n    ADD CONSTRAINT {name} {found['key']} NOT VALID;\n",
        f"{altered}\n    VALIDATE CONSTRAINT {name};\n",
    )


def _is_partitioned(archive: Archive, entry: Entry) -> bool:
    """Whether a key's table is partitioned: two statements are not possible there."""
    needed = (archive.by_id.get(dump_id) for dump_id in entry.dependencies)
    tables = (other for other in needed if other and other.desc == "TABLE")
    return any("\nPARTITION BY " in table.definition for table in tables)
