"""The reset of a real database, as at Heroku: dropped, and created for its owner."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from dbpull.demo.heroku import source

_OWNER = "select pg_get_userbyid(datdba) from pg_database where datname = :'dbname';"
_SCRIPT = """
drop database if exists :"dbname" with (force);
create database :"dbname" owner :"owner" template template0;
"""
# Heroku's dumps leave out this schema, and need it.
_HAS_HEROKU_EXT = "select true from pg_namespace where nspname = 'heroku_ext';"
_HEROKU_EXT = 'create schema heroku_ext authorization :"owner";'


class WipeFailed(Exception):
    """The database does not exist, or psql could not empty it; the text says why."""


_locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)


async def wiped(url: str, psql: str) -> str:
    """Empty the database of a URL, whose role may do so; return its owner.

    One call at a time empties a database; a cancelled caller does not stop the reset.
    """
    return await asyncio.shield(_wiped(url, psql))


async def _wiped(url: str, psql: str) -> str:
    async with _locks[url]:
        return await _wipe(url, psql)


async def _wipe(url: str, psql: str) -> str:
    environ = source.surroundings(url)
    dbname = environ["PGDATABASE"]
    owner = (await _run(psql, environ, _OWNER, dbname=dbname)).strip()
    if not owner:
        raise WipeFailed(f"there is no database {dbname}")
    heroku_ext = await _run(psql, environ, _HAS_HEROKU_EXT, database=dbname)
    await _run(psql, environ, _SCRIPT, dbname=dbname, owner=owner)
    if heroku_ext.strip():
        await _run(psql, environ, _HEROKU_EXT, database=dbname, owner=owner)
    return owner


async def _run(
    psql: str,
    environ: dict[str, str],
    script: str,
    *,
    database: str = "postgres",
    **variables: str,
) -> str:
    given = [f"--set={name}={value}" for name, value in variables.items()]
    process = await asyncio.create_subprocess_exec(
        psql,
        *("--no-psqlrc", "--no-password", "--tuples-only", "--no-align", "--quiet"),
        *("--set=ON_ERROR_STOP=1", *given),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**environ, "PGDATABASE": database},
    )
    out, err = await process.communicate(script.encode())
    if process.returncode != 0:
        raise WipeFailed(err.decode(errors="replace").strip())
    return out.decode()
