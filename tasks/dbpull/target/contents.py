"""The contents of a database: its tables, size, extensions, schemas and identity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from dbpull.postgres.psql import Psql

# Without the tables of extensions and of the platform itself.
_CONTENTS = """
SELECT json_build_object(
  'tables', count(*) FILTER (WHERE c.relkind IN ('r', 'p')),
  'filled', count(*) FILTER (WHERE c.relkind = 'r' AND pg_relation_size(c.oid) > 0),
  'size', pg_database_size(current_database()),
  'identity', (SELECT concat_ws(' ', pg_postmaster_start_time(), d.oid, d.datname)
               FROM pg_database d WHERE d.datname = current_database()),
  'extensions', (SELECT coalesce(json_object_agg(extname, n.nspname), '{}')
                 FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                 WHERE extname <> 'plpgsql'),
  'schemas', (SELECT coalesce(json_agg(nspname), '[]') FROM pg_namespace
              WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', :'own')
  AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass
                  AND objid = c.oid AND deptype = 'e');
"""


@dataclass(frozen=True)
class Contents:
    """The contents of a database at this moment."""

    tables: int
    filled: int
    """How many tables have, or had, rows."""
    size: int
    """Bytes."""
    identity: str
    """Unique among all databases of all servers."""
    extensions: Mapping[str, str]
    """Each extension's schema, by the extension's name; without plpgsql."""
    schemas: frozenset[str]


def contents(psql: Psql, own_schema: str) -> Contents:
    """Query a database for its contents. Raises CannotConnect, SqlFailed.

    `own_schema`: the schema of the platform that hosts databases; its tables are not
    counted.
    """
    dbname = psql.connection.dbname
    rows = psql.run(
        _CONTENTS, doing="Querying its contents", dbname=dbname, own=own_schema
    )
    fields = json.loads(rows[0][0])
    fields["schemas"] = frozenset(fields["schemas"])
    return Contents(**fields)
