"""The extensions and schemas that a database has before it is refilled in place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from dbpull.postgres.psql import Psql

_INSTALLED = """
SELECT json_build_object(
  'owns_public', coalesce((
    SELECT pg_has_role(current_user, nspowner, 'USAGE') FROM pg_namespace
    WHERE nspname = 'public'), true),
  'extensions', (
    SELECT json_agg(json_build_object(
      'name', extname, 'schema', nspname,
      'owned', pg_has_role(current_user, extowner, 'USAGE'),
      'rows', (
        SELECT json_agg(json_build_array(n.nspname, c.relname))
        FROM unnest(extconfig) t JOIN pg_class c ON c.oid = t
          JOIN pg_namespace n ON n.oid = c.relnamespace)))
    FROM pg_extension JOIN pg_namespace s ON s.oid = extnamespace));
"""


@dataclass(frozen=True)
class Extension:
    """An extension of the database."""

    name: str
    schema: str
    owned: bool
    """Whether we may drop it."""
    rows: Sequence[tuple[str, str]]
    """Its tables and sequences that a dump has rows of: schema, name."""


@dataclass(frozen=True)
class Installed:
    """The extensions of a database, and whose its schema `public` is."""

    owns_public: bool
    """Whether the schema `public` is ours."""
    extensions: Sequence[Extension]


def installed(psql: Psql) -> Installed:
    """Look at the database itself. Raises CannotConnect, SqlFailed."""
    dbname = psql.connection.dbname
    rows = psql.run(_INSTALLED, doing="Looking at what it has", dbname=dbname)
    told = json.loads(rows[0][0])
    found = [
        Extension(
            one["name"],
            one["schema"],
            one["owned"],
            [(schema, name) for schema, name in one["rows"] or ()],
        )
        for one in told["extensions"] or ()
    ]
    return Installed(told["owns_public"], found)
