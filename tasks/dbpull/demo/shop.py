"""The made-up databases: a shop as it runs on Heroku, and a developer's old copy."""

from __future__ import annotations

import os
import subprocess
from importlib.resources import files

from dbpull.embedded import Server
from dbpull.errors.embedded import EmbeddedError

_CUSTOMERS = r"""
\pset tuples_only on
\pset border 0
SELECT DISTINCT ON (c.id) c.id, email, name, town
FROM customers c JOIN addresses a ON customer_id = c.id
ORDER BY c.id, a.id LIMIT 3;
"""


def fill(server: Server, dbname: str = "shop", *, scale: float = 1.0) -> None:
    """Create the shop: about 340 000 rows in 13 tables at `scale` 1.

    The same rows on every machine; at a small scale some dozen in each table. It has
    an extension in heroku_ext, an enum, a domain, sequences, foreign keys, triggers,
    a partitioned table, quoted names, views, and a large table that nobody needs.
    Raises EmbeddedError.
    """
    _create(server, dbname)
    _run(server, dbname, _script("shop.sql"), scale=scale)


def fill_development(server: Server, dbname: str) -> None:
    """Create an older, smaller shop, for a pull to replace. Raises EmbeddedError."""
    _create(server, dbname)
    _run(server, dbname, _script("development.sql"))


def customers(server: Server, dbname: str) -> list[str]:
    """Three customers with their addresses, a line each. Raises EmbeddedError."""
    return _run(server, dbname, _CUSTOMERS).strip("\n").split("\n")


def _script(name: str) -> str:
    return files("dbpull.demo").joinpath(name).read_text(encoding="utf-8")


def _create(server: Server, dbname: str) -> None:
    _run(server, "postgres", 'CREATE DATABASE :"name" TEMPLATE template0;', name=dbname)


def _run(server: Server, dbname: str, script: str, **variables: object) -> str:
    """Run a script with psql, up to the first error; what psql prints."""
    values = {"ON_ERROR_STOP": 1, **variables}
    options = [f"--set={name}={value}" for name, value in values.items()]
    psql = [str(server.programs / "psql"), "--no-psqlrc", "--quiet", *options]
    # PGOPTIONS and the like would add to the URL.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    result = subprocess.run(
        [*psql, server.url(dbname)],
        check=False,
        input=script,
        capture_output=True,
        encoding="utf-8",
        env={**environ, "PGCLIENTENCODING": "UTF8"},
    )
    if result.returncode != 0:
        raise EmbeddedError(
            f"The made-up database {dbname} could not be made: {result.stderr.strip()}",
            "Make room on the disk if that is the cause; else this is a bug of dbpull.",
        )
    return result.stdout
