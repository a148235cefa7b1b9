"""A source's tables: which are left out of a dump, and which our role may not read.

Asked before a dump, so that nothing is half-made. pg_dump locks each table, also those
whose rows it leaves out, and so needs to read all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from dbpull.errors.live import LiveError
from dbpull.errors.sql_names import quoted
from dbpull.postgres.patterns import Table, fits
from dbpull.postgres.psql import Psql
from dbpull.words import counted, listed

# pg_dump dumps an extension's own tables by CREATE EXTENSION.
_TABLES = """
SELECT c.oid, c.relkind, n.nspname, c.relname,
  CASE WHEN c.relispartition THEN
    (SELECT inhparent FROM pg_inherits WHERE inhrelid = c.oid) END,
  CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'SELECT')
       ELSE has_table_privilege(c.oid, 'SELECT') END,
  has_schema_privilege(n.oid, 'USAGE'),
  c.relkind = 'r' AND row_security_active(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname;
"""


@dataclass(frozen=True)
class SourceTable:
    """A table or a sequence of a source, as our role sees it."""

    oid: str
    kind: str
    """`r` for a table, `p` for a partitioned one, `S` for a sequence."""
    name: Table
    parent: str
    """The oid of the table of which it is a partition; "" for no partition."""
    is_readable: bool
    is_reachable: bool
    """Whether our role may use its schema."""
    is_filtered: bool
    """Whether row-level security would hide rows from our role."""

    @property
    def shown(self) -> str:
        """The table in messages."""
        return ".".join(self.name)


@dataclass(frozen=True)
class SourceTables:
    """The tables and sequences of a source that pg_dump would dump."""

    tables: tuple[SourceTable, ...]
    skip_data: Sequence[str]

    @cached_property
    def without_rows(self) -> tuple[SourceTable, ...]:
        """The tables whose rows skip_data leaves out, partitions with their parents."""
        by_oid = {table.oid: table for table in self.tables}

        def is_skipped(table: SourceTable) -> bool:
            parent = by_oid.get(table.parent)
            named = fits(table.name, self.skip_data)
            return named or (parent is not None and is_skipped(parent))

        return tuple(t for t in self.tables if t.kind == "r" and is_skipped(t))

    def refuse_unreadable(self, label: str, role: str, major: int) -> None:
        """Raise LiveError where our role may not read what pg_dump would read."""
        unreachable = {t.name[0] for t in self.tables if not t.is_reachable}
        if unreachable:
            what = f"may not use the schema{'s' * (len(unreachable) > 1)}"
            schemas = listed(sorted(unreachable))
            raise LiveError(
                f"{role} {what} {schemas} of {label}.", self._grant(role, major)
            )
        for kinds, noun in (("rp", "table"), ("S", "sequence")):
            unreadable = [t for t in self.tables if t.kind in kinds]
            unreadable = [t for t in unreadable if not t.is_readable]
            if unreadable:
                names = listed([t.shown for t in unreadable])
                what = f"{role} may not read {counted(len(unreadable), noun)} of"
                raise LiveError(f"{what} {label}: {names}.", self._grant(role, major))

    def refuse_filtered(self, label: str, role: str) -> None:
        """Raise LiveError where row-level security would hide rows of a dump."""
        whole = set(self.without_rows)
        filtered = [t.shown for t in self.tables if t.is_filtered and t not in whole]
        if filtered:
            raise LiveError(
                f"Row-level security hides rows of {label} from {role}:"
                f" {listed(filtered)}.",
                f"Let a superuser run ALTER ROLE {quoted(role)} BYPASSRLS, or name"
                " another role; or leave these tables' rows out by skip_data.",
            )

    def _grant(self, role: str, major: int) -> str:
        """The remedy for tables that can't be read."""
        if major >= 14:
            return f"Let its owner run GRANT pg_read_all_data TO {quoted(role)}."
        return f"Let their owner run {' '.join(self._grants(role))}"

    def _grants(self, role: str) -> Iterator[str]:
        lacking = (t for t in self.tables if not (t.is_readable and t.is_reachable))
        for schema in sorted({t.name[0] for t in lacking}):
            within, to = f"SCHEMA {quoted(schema)}", f"TO {quoted(role)};"
            yield f"GRANT USAGE ON {within} {to}"
            yield f"GRANT SELECT ON ALL TABLES IN {within} {to}"
            yield f"GRANT SELECT ON ALL SEQUENCES IN {within} {to}"


def look(psql: Psql, skip_data: Sequence[str]) -> SourceTables:
    """Ask a source for its tables. Raises CannotConnect, SqlFailed."""
    rows = psql.run(_TABLES, doing="Looking at the tables")
    return SourceTables(tuple(_table(row) for row in rows), tuple(skip_data))


def _table(row: list[str]) -> SourceTable:
    oid, kind, schema, name, parent, *answers = row
    readable, reachable, filtered = (answer == "t" for answer in answers)
    return SourceTable(oid, kind, (schema, name), parent, readable, reachable, filtered)
