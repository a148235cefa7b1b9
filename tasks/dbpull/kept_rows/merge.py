"""The SQL that takes kept rows into the tables of a new database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from dbpull.errors.sql_names import quoted
from dbpull.kept_rows.tables import KeptTable

SCHEMA = "dbpull_rows"
"""The schema of our own in the new database, until the rows are where they belong."""

# Rows that fail, and conditions, are in the server's log, unless our role may say that
# they are not wanted.
QUIET = """
SELECT set_config(name, value, false)
FROM (VALUES ('log_min_messages', 'panic'), ('log_min_duration_statement', '-1'),
  ('log_statement', 'none')) settings (name, value)
WHERE (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \\g /dev/null
"""
"""The SQL that keeps a session out of the server's log."""


@dataclass(frozen=True)
class Share:
    """The rows of one table that come along."""

    old: KeptTable
    new: KeptTable
    condition: str
    number: int

    @property
    def staging(self) -> str:
        """The table that holds them first."""
        return f"{SCHEMA}.rows{self.number}"

    @property
    def columns(self) -> list[str]:
        """The columns that both tables have, but for computed ones."""
        theirs = {column.name for column in self.old.columns}
        ours = [column.name for column in self.new.columns if not column.computed]
        return [name for name in ours if name in theirs]

    @property
    def listed(self) -> str:
        """The columns as SQL lists them."""
        return ", ".join(map(quoted, self.columns))

    @property
    def no_rows(self) -> str:
        """The query that gives the columns of the staging table."""
        return f"SELECT {self.listed} FROM {self.new.sql} WITH NO DATA"  # noqa: S608

    @property
    def insert(self) -> str:
        """The statement that takes them into the new table."""
        into = f"INSERT INTO {self.new.sql} ({self.listed}) OVERRIDING SYSTEM VALUE"
        rows = f"SELECT {self.listed} FROM {self.staging}"  # noqa: S608 - of names
        return f"{into} {rows}{self._on_conflict}"

    @property
    def _on_conflict(self) -> str:
        """The clause by which a kept row wins over a row with its primary key."""
        key = self.new.primary_key
        if not key or not set(key) <= set(self.columns):
            return ""
        always = {column.name for column in self.new.columns if column.always}
        others = [name for name in self.columns if name not in {*key, *always}]
        sets = ", ".join(f"{quoted(name)} = excluded.{quoted(name)}" for name in others)
        then = f"UPDATE SET {sets}" if sets else "NOTHING"
        return f" ON CONFLICT ({', '.join(map(quoted, key))}) DO {then}"


def staging(shares: Sequence[Share]) -> str:
    """The SQL that makes our schema, with a table for the rows of each."""
    tables = (
        f"CREATE UNLOGGED TABLE {share.staging} AS {share.no_rows};" for share in shares
    )
    return "\n".join([f"CREATE SCHEMA {SCHEMA};", *tables, ""])


# The app's triggers must not fire: they were at work when the rows came into the old
# database. Not every role may say so for a session, so those of the tables and their
# partitions sleep one by one, as the owner of a table may say. Up to 14 a partition's
# copy of a trigger counts as internal, as a foreign key's triggers do.
_SLEEP = f"""
CREATE TABLE {SCHEMA}.triggers AS
WITH RECURSIVE filled AS (
  SELECT format('%I.%I', t->>0, t->>1)::regclass::oid AS oid
  FROM json_array_elements(:'tables') t
  UNION
  SELECT inhrelid FROM filled JOIN pg_inherits ON inhparent = filled.oid
    JOIN pg_class c ON c.oid = inhrelid AND relispartition)
SELECT tgrelid AS relation, tgname AS name, tgenabled AS enabled
FROM filled JOIN pg_trigger ON tgrelid = filled.oid
LEFT JOIN pg_constraint con ON con.oid = tgconstraint
WHERE (NOT tgisinternal OR tgparentid <> 0 AND coalesce(contype, 't') = 't')
  AND tgenabled IN ('O', 'A');
SELECT format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', relation::regclass, name)
FROM {SCHEMA}.triggers \\gexec
"""  # noqa: S608 - of constants
_WAKE = f"""
SELECT format('ALTER TABLE ONLY %s ENABLE %s TRIGGER %I', relation::regclass,
  CASE enabled WHEN 'A' THEN 'ALWAYS' END, name)
FROM {SCHEMA}.triggers \\gexec
"""  # noqa: S608 - of constants
# In one statement, so that rows may refer to each other, in whatever order. What it
# catches is neither told nor logged with values of rows.
_MERGE = f"""
CREATE FUNCTION {SCHEMA}.merge() RETURNS json LANGUAGE plpgsql AS $merge$
#variable_conflict use_column
DECLARE "schema of" text; "table of" text; "constraint of" text; "column of" text;
BEGIN
  STATEMENT;
  SET CONSTRAINTS ALL IMMEDIATE;
  RETURN NULL;
EXCEPTION WHEN integrity_constraint_violation THEN
  GET STACKED DIAGNOSTICS "schema of" = SCHEMA_NAME, "table of" = TABLE_NAME,
    "constraint of" = CONSTRAINT_NAME, "column of" = COLUMN_NAME;
  RETURN json_build_array("schema of", "table of", "constraint of", "column of",
    SQLSTATE);
END $merge$;
SELECT coalesce({SCHEMA}.merge()::text, '') AS clash \\gset
SELECT :'clash' <> '' AS clashes \\gset
\\if :clashes
  SELECT :'clash', '';
  \\quit
\\endif
"""
# Owned by a column (serial, identity), or asked by its default.
_SEQUENCES = """
\\o /dev/null
SELECT format('SELECT setval(%L, highest)'
  ' FROM (SELECT max(%I) AS highest FROM %s) kept, %s,'
  ' pg_sequence WHERE seqrelid = %L::regclass AND seqincrement > 0'
  ' AND highest <= seqmax AND (highest > last_value'
  ' OR (highest = last_value AND NOT is_called))',
  s.oid::regclass, attname, t->>2, s.oid::regclass, s.oid::regclass)
FROM json_array_elements(:'tables') t
JOIN pg_attribute ON attrelid = format('%I.%I', t->>0, t->>1)::regclass
  AND atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
  AND attname IN (SELECT json_array_elements_text(t->3))
LEFT JOIN pg_attrdef f ON adrelid = attrelid AND adnum = attnum
JOIN pg_depend d ON (d.classid = 'pg_class'::regclass AND d.refobjid = attrelid
    AND d.refobjsubid = attnum AND d.deptype IN ('a', 'i'))
  OR (d.classid = 'pg_attrdef'::regclass AND d.objid = f.oid)
JOIN pg_class s ON relkind = 'S'
  AND s.oid = CASE d.classid WHEN 'pg_class'::regclass THEN d.objid ELSE d.refobjid END
\\gexec
\\o
"""


def merge(shares: Sequence[Share]) -> str:
    """The SQL that takes all rows into their tables, and removes our schema.

    Its psql variable is `tables`. It prints how many rows each table has got, or what
    they break: schema, table, constraint, column, SQLSTATE; and then nothing is done.
    """
    *first, last = (share.insert for share in shares)
    parts = ", ".join(f"part{n} AS ({insert})" for n, insert in enumerate(first))
    statement = f"WITH {parts} {last}" if parts else last
    counts = ", ".join(
        f"(SELECT count(*) FROM {share.staging})"  # noqa: S608 - of a number
        for share in shares
    )
    return "".join([
        f"{QUIET}BEGIN;", _SLEEP, _MERGE.replace("STATEMENT", statement, 1),
        _SEQUENCES, _WAKE, f"SELECT json_build_array({counts});",
        f"DROP SCHEMA {SCHEMA} CASCADE;\nCOMMIT;\n",
    ])  # fmt: skip


def tables(shares: Sequence[Share]) -> str:
    """The variable of `merge`: each table with its staging table and its columns."""
    told = [[*share.new.key, share.staging, share.columns] for share in shares]
    return json.dumps(told, ensure_ascii=False)
