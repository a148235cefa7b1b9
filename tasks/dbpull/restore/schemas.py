"""Schemas that a dump needs but does not create."""

from __future__ import annotations

import json
from collections.abc import Collection

from dbpull.archive import Extension
from dbpull.postgres.psql import Psql

_CREATE = """
SELECT format('CREATE SCHEMA %I', :'schema')
WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = :'schema') \\gexec
"""
# Only an extension's script knows which schemas it makes, so each extension is created
# and rolled back. If it insists on making its own schema, the first try succeeds; else
# the schema is created before it, as a dump would do.
_MADE = """
BEGIN;
\\set ON_ERROR_STOP off
\\set ON_ERROR_ROLLBACK on
SELECT statement
FROM json_array_elements(:'extensions') WITH ORDINALITY one(told, place),
  LATERAL (SELECT format('CREATE EXTENSION IF NOT EXISTS %I', told->>0)
    || coalesce(format(' WITH SCHEMA %I', told->>1), '') made) first,
  LATERAL (VALUES (1, made), (3, made),
    (2, 'CREATE SCHEMA IF NOT EXISTS ' || quote_ident(told->>1))) of(turn, statement)
ORDER BY place, turn \\gexec
SELECT nspname FROM pg_namespace n JOIN pg_depend d
  ON classid = 'pg_namespace'::regclass AND objid = n.oid AND deptype = 'e';
ROLLBACK;
"""


def create_missing(
    psql: Psql,
    dbname: str,
    schemas: Collection[str],
    extensions: Collection[Extension] = (),
) -> None:
    """Create the schemas, but for those that the extensions make. Raises SqlFailed."""
    made = _made_by(psql, dbname, extensions) if extensions else set()
    for schema in sorted(set(schemas) - made):
        psql.run(
            _CREATE,
            doing=f"Creating the schema {schema}",
            dbname=dbname,
            schema=schema,
        )


def _made_by(psql: Psql, dbname: str, extensions: Collection[Extension]) -> set[str]:
    """The schemas that creating the extensions makes; it is rolled back."""
    told = json.dumps([[each.name, each.schema] for each in extensions])
    doing = "Looking at what the extensions make"
    rows = psql.run(_MADE, doing=doing, dbname=dbname, extensions=told)
    return {name for (name,) in rows}
