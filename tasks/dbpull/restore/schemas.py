"""Schemas that a dump needs but does not create."""

from __future__ import annotations

import json
from collections.abc import Collection

from dbpull.archive import Extension
from dbpull.postgres.psql import Psql

# Only an extension's script knows which schemas it makes, so each extension is created
# and rolled back. If it insists on making its own schema, the first try succeeds; else
# the schema is created before it, as a dump would do.
_LOOK = """
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
SELECT coalesce(json_agg(nspname), '[]') made FROM pg_namespace n JOIN pg_depend d
  ON classid = 'pg_namespace'::regclass AND objid = n.oid AND deptype = 'e' \\gset
ROLLBACK;
\\set ON_ERROR_STOP on
"""
_CREATE = """
SELECT format('CREATE SCHEMA %I', name) FROM json_array_elements_text(:'schemas') name
WHERE NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = name)
  AND NOT :'made'::jsonb ? name \\gexec
"""


def create_missing(
    psql: Psql,
    dbname: str,
    schemas: Collection[str],
    extensions: Collection[Extension] = (),
) -> None:
    """Create the schemas, but for those that the extensions make. Raises SqlFailed."""
    if schemas:
        named = [[each.name, each.schema] for each in extensions]
        psql.run(
            f"{_LOOK if named else ''}{_CREATE}",
            doing=f"Creating the schemas {', '.join(sorted(schemas))}",
            dbname=dbname,
            schemas=json.dumps(sorted(schemas), ensure_ascii=False),
            extensions=json.dumps(named, ensure_ascii=False),
            made="[]",
        )
