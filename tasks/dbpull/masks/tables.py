"""The tables of a database whose definitions are restored, and its columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dbpull.postgres.patterns import Table as TableName
from dbpull.postgres.psql import Psql

ColumnName = tuple[str, str, str]
"""A column's schema, table and name."""
# The type below a domain, or below domains over domains; varchar(n) may be in any.
_TABLES = """
SET search_path = '';
WITH RECURSIVE
own AS (
  SELECT c.oid, nspname, relname, relkind FROM pg_class c
  JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind IN ('r', 'p', 'f') AND relpersistence <> 't'
    AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_toast'),
ancestors AS (
  SELECT inhrelid AS oid, inhparent AS parent FROM pg_inherits
  UNION
  SELECT a.oid, i.inhparent FROM ancestors a JOIN pg_inherits i ON inhrelid = a.parent),
types AS (
  SELECT oid AS type, oid AS base, -1 AS typmod, typnotnull AS required FROM pg_type
  UNION ALL
  SELECT s.type, t.typbasetype, greatest(s.typmod, t.typtypmod),
    s.required OR t.typnotnull
  FROM types s JOIN pg_type t ON t.oid = s.base WHERE t.typtype = 'd'),
columns AS (
  SELECT a.attrelid, json_agg(json_build_object(
    'name', a.attname,
    'type', format_type(a.atttypid, a.atttypmod),
    'base', b.typname,
    'is_domain', b.oid <> a.atttypid,
    'category', b.typcategory,
    'element', coalesce((SELECT e.typcategory FROM pg_type e
      WHERE e.oid = b.typelem AND b.typcategory = 'A'), ''),
    'element_type', coalesce((SELECT format_type(e.oid, a.atttypmod) FROM pg_type e
      WHERE e.oid = b.typelem AND b.typcategory = 'A'), ''),
    'limit', CASE WHEN b.typname IN ('varchar', 'bpchar', '_varchar', '_bpchar')
      THEN nullif(greatest(s.typmod, a.atttypmod) - 4, -5) END,
    'required', a.attnotnull OR s.required,
    'generated_from', CASE WHEN a.attgenerated <> '' THEN (
      SELECT coalesce(json_agg(r.attname), '[]') FROM pg_attrdef f
      JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid
        AND d.refclassid = 'pg_class'::regclass AND d.refobjid = a.attrelid
        AND d.refobjsubid NOT IN (0, a.attnum)
      JOIN pg_attribute r ON r.attrelid = a.attrelid AND r.attnum = d.refobjsubid
      WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum) END
  ) ORDER BY attnum) AS told
  FROM own JOIN pg_attribute a ON a.attrelid = own.oid
  JOIN types s ON s.type = a.atttypid
  JOIN pg_type b ON b.oid = s.base AND b.typtype <> 'd'
  WHERE a.attnum > 0 AND NOT a.attisdropped
  GROUP BY a.attrelid),
above AS (
  SELECT ancestors.oid, json_agg(json_build_array(nspname, relname)) AS told
  FROM ancestors JOIN own ON own.oid = parent GROUP BY ancestors.oid)
SELECT json_build_object(
  'encoding', getdatabaseencoding(),
  'extensions', (SELECT coalesce(json_agg(DISTINCT nspname), '[]')
    FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace),
  'tables', coalesce(json_agg(json_build_object(
    'schema', nspname, 'name', relname, 'stores', relkind <> 'p',
    'foreign', relkind = 'f',
    'ancestors', coalesce(above.told, '[]'),
    'columns', coalesce(columns.told, '[]'),
    'partitioned_by', (SELECT coalesce(json_agg(attname), '[]')
      FROM pg_partitioned_table JOIN pg_attribute
        ON attrelid = partrelid AND attnum = ANY (partattrs)
      WHERE partrelid = own.oid),
    'checks', (SELECT coalesce(json_agg(json_build_object('name', conname,
        'sql', pg_get_expr(conbin, conrelid), 'columns', ARRAY(
          SELECT attname FROM pg_attribute
          WHERE attrelid = conrelid AND attnum = ANY (conkey)))), '[]')
      FROM pg_constraint WHERE conrelid = own.oid AND contype = 'c')
    ) ORDER BY nspname, relname), '[]'))
FROM own LEFT JOIN columns ON attrelid = own.oid LEFT JOIN above ON above.oid = own.oid;
"""


@dataclass(frozen=True)
class Column:
    """A column, by its type and its constraints.

    Of a dump's definitions, the name, the type, `required` and `generated_from` alone
    are known; `required` without what primary keys say.
    """

    name: str
    type: str
    """The type as SQL writes it, with its schema: `public.citext`."""
    base: str = ""
    """The name of the type, or of the type below a domain: `varchar`, `_text`."""
    category: str = ""
    """The letter in pg_type.typcategory: S for text kinds, A for arrays."""
    element: str = ""
    """The category of an array's elements."""
    element_type: str = ""
    limit: int | None = None
    """The characters that fit: varchar(n)."""
    required: bool = False
    """Whether NULL is refused."""
    generated_from: Sequence[str] | None = None
    """The columns from which a generated column is computed."""
    is_domain: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it holds text, or an array of text."""
        return "S" in {self.category, self.element}

    @property
    def folds(self) -> bool:
        """Whether its type calls a text equal to the same text in lower case."""
        return self.base in {"citext", "_citext"}

    @property
    def is_integer(self) -> bool:
        """Whether it holds whole numbers."""
        return self.base in {"int2", "int4", "int8"}


@dataclass(frozen=True)
class RowCheck:
    """A CHECK of a table, which each row must pass."""

    name: str
    sql: str
    columns: Sequence[str]


@dataclass(frozen=True)
class MaskTable:
    """A table with its columns."""

    schema: str
    name: str
    stores: bool
    """Whether it has rows of its own: a partitioned table has none."""
    ancestors: Sequence[TableName]
    """The tables of which it is a partition or a child, at any depth."""
    partitioned_by: Sequence[str]
    """The columns whose values decide on a row's partition."""
    columns: Mapping[str, Column]
    foreign: bool = False
    """Whether its rows are on another server."""
    checks: Sequence[RowCheck] = ()

    @property
    def key(self) -> TableName:
        """Its schema and name."""
        return self.schema, self.name

    @property
    def label(self) -> str:
        """The table as messages name it."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Tables:
    """The tables of a database, by schema and name."""

    by_name: Mapping[TableName, MaskTable]
    encoding: str
    """The database's encoding, by PostgreSQL's name."""
    extensions: Sequence[str]
    """The schemas of extensions."""

    def label(self, column: ColumnName) -> str:
        """A column as messages name it: `users.email`."""
        schema, table, name = column
        return f"{self.by_name[schema, table].label}.{name}"

    def column(self, name: ColumnName) -> Column:
        """A column by its name."""
        return self.by_name[name[:2]].columns[name[2]]


def look(psql: Psql, dbname: str) -> Tables:
    """Query a database for its tables. Raises CannotConnect, SqlFailed."""
    doing = "Querying the columns to mask"
    answer = json.loads(psql.run(_TABLES, doing=doing, dbname=dbname)[0][0])
    tables = [_table(given) for given in answer["tables"]]
    by_name = {table.key: table for table in tables}
    return Tables(by_name, answer["encoding"], answer["extensions"])


def _table(given: dict[str, object]) -> MaskTable:
    columns = [Column(**told) for told in given.pop("columns")]  # type: ignore[attr-defined]
    ancestors = [tuple(name) for name in given.pop("ancestors")]  # type: ignore[attr-defined]
    checks = [RowCheck(**told) for told in given.pop("checks")]  # type: ignore[attr-defined]
    by_name = {column.name: column for column in columns}
    more: dict[str, Any] = {"ancestors": ancestors, "checks": checks}
    return MaskTable(**given, **more, columns=by_name)  # type: ignore[arg-type]
