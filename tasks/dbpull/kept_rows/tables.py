"""The tables whose rows are kept, as a database's catalog has them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dbpull.errors.kept_rows import AmbiguousTable
from dbpull.errors.sql_names import quoted
from dbpull.postgres.psql import Psql

# A key that is deferrable, or over periods (from 18 on), can't decide on conflicts.
_TABLES = """
SELECT coalesce(json_agg(json_build_object(
  'schema', nspname, 'name', relname, 'partitioned', relkind = 'p',
  'columns', (SELECT coalesce(json_agg(json_build_object('name', attname,
      'computed', attgenerated <> '', 'always', attidentity = 'a')
      ORDER BY attnum), '[]') FROM pg_attribute
    WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped),
  'primary_key', (SELECT coalesce(json_agg(attname), '[]')
    FROM pg_constraint k JOIN pg_attribute ON attrelid = conrelid
      AND attnum = ANY (conkey), LATERAL (SELECT to_jsonb(k) j) every
    WHERE conrelid = c.oid AND contype = 'p' AND NOT condeferrable
      AND coalesce(j->>'conperiod', 'false') = 'false')
  ) ORDER BY nspname, relname), '[]')
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'p') AND nspname <> 'information_schema'
  AND nspname !~ '^pg_' AND EXISTS (
    SELECT FROM json_array_elements_text(:'names') name
    WHERE name IN (relname, nspname || '.' || relname));
"""


@dataclass(frozen=True)
class KeptColumn:
    """A column of a table whose rows are kept."""

    name: str
    computed: bool
    """Whether the server computes it from other columns."""
    always: bool
    """Whether it is an identity that no update may set."""


@dataclass(frozen=True)
class KeptTable:
    """A table whose rows are kept."""

    schema: str
    name: str
    partitioned: bool
    columns: Sequence[KeptColumn]
    primary_key: Collection[str]
    """The columns of the key that decides on conflicts; empty without one."""

    @property
    def label(self) -> str:
        """The table as messages name it."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"

    @property
    def sql(self) -> str:
        """The table as SQL names it."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def rows(self) -> str:
        """The table's own rows in a FROM clause: without those of its children."""
        return self.sql if self.partitioned else f"ONLY {self.sql}"

    @property
    def key(self) -> tuple[str, str]:
        """Its schema and name."""
        return self.schema, self.name


def look(psql: Psql, dbname: str, names: Iterable[str]) -> list[KeptTable]:
    """The tables of a database that have one of these names. Raises SqlFailed.

    A name is a table's, or has its schema in front: `audit.events`.
    """
    given = json.dumps(list(names), ensure_ascii=False)
    doing = "Querying the tables of kept rows"
    answer = psql.run(_TABLES, doing=doing, dbname=dbname, names=given)[0][0]
    return [_table(told) for told in json.loads(answer)]


def chosen(
    names: Iterable[str], tables: Sequence[KeptTable]
) -> Mapping[str, KeptTable | None]:
    """The table of each name: that of the schema public where several have it.

    Raises AmbiguousTable.
    """
    return {name: _chosen(name, tables) for name in names}


def _chosen(name: str, tables: Sequence[KeptTable]) -> KeptTable | None:
    whole = [one for one in tables if name == f"{one.schema}.{one.name}"]
    found = whole or [one for one in tables if one.name == name]
    public = [one for one in found if one.schema == "public"]
    if len(found) > 1 and not public:
        raise AmbiguousTable(name, [one.label for one in found])
    return next(iter([*public, *found]), None)


def _table(told: dict[str, object]) -> KeptTable:
    columns = [KeptColumn(**one) for one in told.pop("columns")]  # type: ignore[attr-defined]
    return KeptTable(**told, columns=columns)  # type: ignore[arg-type]
