"""A copy of a database on its own server: by files, as CREATE DATABASE makes it.

Nobody can connect to a copy until it is told otherwise. So the server has a mark of a
half-made copy from its first moment on: one of our names, closed, without a comment.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from dbpull.errors.postgres import SqlFailed
from dbpull.errors.target import StillConnected
from dbpull.postgres.privacy import without_values
from dbpull.postgres.psql import Psql
from dbpull.target.aside import PRIVILEGES
from dbpull.target.database_settings import SETTINGS
from dbpull.target.family import look, refuse_held_open
from dbpull.target.lock import COPYING, UNLOCK
from dbpull.target.names import Names
from dbpull.target.provenance import unfinished
from dbpull.target.sessions import END, connected, listed

TRIES = 3
# A copy takes seconds, and goes on when psql is ended. The server looks for its client
# (14 and newer, where the system can tell), and the lock tells the next run.
_BEGIN = f"""
SELECT set_config('application_name', 'a copy that dbpull makes', false) \\g /dev/null
SELECT pg_advisory_lock({COPYING}) \\g /dev/null
\\set ON_ERROR_STOP 0
SELECT set_config(name, '1s', false)
FROM pg_settings WHERE name = 'client_connection_check_interval' \\g /dev/null
\\set ON_ERROR_STOP 1
"""  # noqa: S608 - of constants
# While CREATE DATABASE waits for the end of sessions on the source (5 seconds,
# procarray.c's CountOtherDBBackends), its lock keeps new sessions out.
_CREATE = f"""
{END} \\g /dev/null
SELECT format('CREATE DATABASE %I TEMPLATE %I OWNER %I ALLOW_CONNECTIONS false',
    :'name', datname, pg_get_userbyid(datdba))
  || CASE WHEN current_setting('server_version_num')::int >= 150000
       THEN ' STRATEGY file_copy' ELSE '' END
FROM pg_database WHERE datname = :'source' \\gexec
"""  # noqa: S608 - of constants
# From 18 on, files can share their blocks, where the file system can (XFS, btrfs, …).
_CLONE = f"""
SELECT count(*) = 1 AND NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name')
  AS cloning
FROM pg_settings WHERE name = 'file_copy_method' AND 'clone' = ANY(enumvals) \\gset
\\set made false
\\if :cloning
  \\set ON_ERROR_STOP 0
  SET file_copy_method = clone;
  {_CREATE}
  SET file_copy_method = copy;
  SELECT count(*) = 1 AS made FROM pg_database WHERE datname = :'name' \\gset
  \\set ON_ERROR_STOP 1
\\endif
\\if :made
\\else
  {_CREATE}
\\endif
"""  # noqa: S608 - of constants
_COMMENT = """
SELECT format('COMMENT ON DATABASE %I IS %L', :'name', :'{text}') \\gexec
"""
_END = """
SELECT format('ALTER DATABASE %I ALLOW_CONNECTIONS true', :'name')
WHERE :'open'::boolean \\gexec
"""
_TELL = """
SELECT oid, :'missed', :'failure' FROM pg_database WHERE datname = :'name';
"""
_MAKE = "".join(
    [
        _BEGIN,
        _CLONE,
        _COMMENT.format(text="mark"),
        PRIVILEGES,
        SETTINGS,
        _COMMENT.format(text="comment"),
        _END,
        UNLOCK,
        _TELL,
    ]
)
_DISCARD = f"""
SELECT pg_advisory_lock({COPYING}) \\g /dev/null
SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname) FROM pg_database
WHERE datname = :'name' AND datistemplate
  AND shobj_description(oid, 'pg_database') = :'mark' \\gexec
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
WHERE datname = :'name' AND coalesce(shobj_description(oid, 'pg_database') = :'mark',
  NOT datallowconn) \\gexec
{UNLOCK}"""  # noqa: S608 - of constants


@dataclass(frozen=True)
class Copy:
    """A copy to be made of a database beside the target, or of the target itself."""

    psql: Psql
    source: str
    new: str

    def make(self, *, comment: str = "", closed: bool) -> tuple[str, list[str]]:
        """Copy the files, then owner, privileges and settings; end sessions before.

        `comment`: the copy's, else the mark of an unfinished database. `closed`: nobody
        can connect to it. Returns its oid, and the names of the settings that this role
        may not set. Raises HeldOpen, StillConnected, SqlFailed, CannotConnect.
        """
        for attempt in range(1, TRIES + 1):
            try:
                [[oid, missed, failure]] = self._run(
                    _MAKE,
                    f"Copying {self.source}",
                    comment=comment or self._mark,
                    open=str(not closed),
                )
            except SqlFailed:
                if not (clients := self._clients()):
                    raise
                if attempt == TRIES:
                    label = self.psql.connection.label
                    raise StillConnected(label, clients, dump=False) from None
                continue
            if failure:
                label = self.psql.connection.label
                doing = "Copying the privileges"
                raise SqlFailed(doing, label, without_values(failure))
            return oid, json.loads(missed)
        raise AssertionError

    def discard(self) -> None:
        """Drop the copy unless it has its comment; wait for the end of its making."""
        self._run(_DISCARD, f"Dropping {self.new}")

    def _run(self, sql: str, doing: str, **more: str) -> list[list[str]]:
        return self.psql.run(
            sql,
            doing=doing,
            source=self.source,
            name=self.new,
            target=self.psql.connection.dbname,
            dbnames=listed([self.source]),
            mark=self._mark,
            **more,
        )

    def _clients(self) -> str:
        """The clients on the source, in words; raises HeldOpen for other holders."""
        label, names = self.psql.connection.label, Names(self.psql.connection.dbname)
        member = look(self.psql.query, names).members.get(self.source)
        refuse_held_open([member] if member else [], label)
        return connected(self.psql, [self.source])

    @property
    def _mark(self) -> str:
        return unfinished(self.psql.connection.dbname)
