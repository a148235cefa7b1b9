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
    SELECT coalesce(json_agg(json_build_object(
      'name', extname, 'schema', nspname,
      'owned', pg_has_role(current_user, extowner, 'USAGE'),
      'rows', (
        SELECT coalesce(json_agg(json_build_array(n.nspname, c.relname)), '[]')
        FROM unnest(extconfig) t JOIN pg_class c ON c.oid = t
          JOIN pg_namespace n ON n.oid = c.relnamespace))), '[]')
    FROM pg_extension JOIN pg_namespace s ON s.oid = extnamespace));
"""


@dataclass(frozen=True)
class InstalledExtension:
    """An extension that the database has."""

    name: str
    schema: str
    owned: bool
    """Whether this role may drop the extension."""
    rows: Sequence[Sequence[str]]
    """The extension's tables and sequences whose rows a dump holds: schema, name."""


@dataclass(frozen=True)
class Installed:
    """The extensions of a database, and whether this role owns its schema `public`."""

    owns_public: bool
    """Whether this role owns the schema `public`."""
    extensions: Sequence[InstalledExtension]


def installed(psql: Psql) -> Installed:
    """Query a database for its extensions. Raises CannotConnect, SqlFailed."""
    dbname = psql.connection.dbname
    rows = psql.run(_INSTALLED, doing="Querying its extensions", dbname=dbname)
    answer = json.loads(rows[0][0])
    extensions = [InstalledExtension(**fields) for fields in answer["extensions"]]
    return Installed(answer["owns_public"], extensions)
