"""Schemas that a dump needs but does not create: Heroku leaves heroku_ext out."""

from __future__ import annotations

from collections.abc import Collection

from dbpull.postgres.psql import Psql

_CREATE = 'CREATE SCHEMA IF NOT EXISTS :"schema";'


def create_missing(psql: Psql, dbname: str, schemas: Collection[str]) -> None:
    """Create them. Raises SqlFailed."""
    for schema in sorted(schemas):
        psql.run(
            _CREATE,
            doing=f"Creating the schema {schema}",
            dbname=dbname,
            schema=schema,
        )
