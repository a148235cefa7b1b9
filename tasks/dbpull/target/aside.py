"""The aside database: made like the target, filled, and dropped if filling fails.

The aside database is known by its oid, so that another database of the same name is
never swapped in nor dropped: once the lock is lost (the server restarted), another pull
can make an aside database.
"""

from __future__ import annotations

import re
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from dbpull.errors.postgres import CannotConnect, SqlFailed
from dbpull.errors.remedies import FULL
from dbpull.postgres.privacy import without_values
from dbpull.postgres.psql import Psql
from dbpull.target.lock import COPYING, KEY
from dbpull.target.names import Names
from dbpull.target.provenance import unfinished

PATIENCE = 5.0
"""Seconds for our earlier sessions to end, where the server has too many to drop."""
# to_jsonb: the columns for locale providers differ between the majors (14 to 18).
_CREATE = """
SELECT format('CREATE DATABASE %I TEMPLATE template0', :'aside')
  || coalesce((
    SELECT format(' OWNER %I ENCODING %L', pg_get_userbyid(datdba),
             pg_encoding_to_char(encoding))
      || format(' LC_COLLATE %L LC_CTYPE %L', datcollate, datctype)
      || CASE j->>'datlocprovider'
           WHEN 'c' THEN ' LOCALE_PROVIDER libc'
           WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L',
             coalesce(j->>'datlocale', j->>'daticulocale'))
           WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L',
             j->>'datlocale')
           ELSE '' END
      || coalesce(' ICU_RULES ' || quote_literal(j->>'daticurules'), '')
      || CASE WHEN spcname <> 'pg_default' THEN format(' TABLESPACE %I', spcname)
         ELSE '' END
    FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace,
      LATERAL (SELECT to_jsonb(d) j) columns
    WHERE datname = :'target'), '')
\\gexec
SELECT format('COMMENT ON DATABASE %I IS %L', :'aside', :'mark') \\gexec
SELECT oid FROM pg_database WHERE datname = :'aside' \\gset
"""
# The oid is told even where this fails, since then the database is to be dropped.
PRIVILEGES = """
\\set ON_ERROR_STOP 0
\\set LAST_ERROR_MESSAGE ''
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'name')
FROM pg_database WHERE datname = :'source' AND datacl IS NOT NULL \\gexec
SELECT format('GRANT %s ON DATABASE %I TO %s%s', privilege_type, :'name',
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_database, aclexplode(datacl) WHERE datname = :'source' \\gexec
\\set failure :LAST_ERROR_MESSAGE
\\set ON_ERROR_STOP 1
"""
"""The SQL that gives a database :'name' the privileges on the database :'source'."""
_TELL = "SELECT :'oid', :'failure';"
_DROP = """
SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname)
FROM pg_database WHERE datname = :'aside' AND oid = :'oid' AND datistemplate \\gexec
SELECT format('DROP DATABASE %I WITH (FORCE)', datname)
FROM pg_database WHERE datname = :'aside' AND oid = :'oid' \\gexec
"""


# For a host that loses the connection to us. The script waits for the target's lock:
# our session ends with us, or another run holds the lock and has dropped the aside
# database already.
_ON_DISCONNECT = """
SELECT pg_advisory_lock({key}), pg_advisory_lock({copying}) \\g /dev/null
\\set ON_ERROR_STOP 0
SELECT format('ALTER DATABASE %I IS_TEMPLATE false', datname) FROM pg_database
WHERE datname LIKE '%\\_\\_dbpull\\_%' AND datistemplate
  AND shobj_description(oid, 'pg_database') = :'mark' \\gexec
SELECT format('DROP DATABASE %I WITH (FORCE)', datname) FROM pg_database
WHERE datname LIKE '%\\_\\_dbpull\\_%'
  AND shobj_description(oid, 'pg_database') = :'mark' \\gexec
"""


@dataclass
class Aside:
    """The new database of a target, while it is being built."""

    psql: Psql
    oid: str = field(default="", init=False)
    """The oid of the created database; "" before `create`."""

    def create(self) -> None:
        """Create an empty database with the target's owner, locale and privileges.

        Raises SqlFailed.
        """
        doing = "Creating the aside database"
        sql = _CREATE + PRIVILEGES + _TELL
        [[self.oid, failure]] = self._run(sql, doing, mark=self._mark)
        if failure:
            label = self.psql.connection.label
            raise SqlFailed(doing, label, without_values(failure))

    def on_disconnect(self) -> AbstractContextManager[None]:
        """Have a host drop the aside database if the connection is lost meanwhile."""
        sql = _ON_DISCONNECT.format(key=KEY, copying=COPYING)
        return self.psql.on_disconnect(sql, mark=self._mark, target=self.names.target)

    def drop(self) -> None:
        """Drop the aside database, and end the sessions on it.

        Raises SqlFailed, CannotConnect.
        """
        deadline = time.monotonic() + PATIENCE
        while self.oid:
            try:
                self._run(_DROP, "Dropping the aside database", oid=self.oid)
            except CannotConnect as error:
                # A server counts a session a moment longer than its program lives.
                if not re.search(FULL, error.cause) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def _run(self, sql: str, doing: str, **more: str) -> list[list[str]]:
        target, aside = self.names.target, self.names.aside
        values = {"target": target, "aside": aside, "source": target, "name": aside}
        return self.psql.run(sql, doing=doing, **values, **more)

    @property
    def names(self) -> Names:
        """The names of the target and of the databases beside it."""
        return Names(self.psql.connection.dbname)

    @property
    def _mark(self) -> str:
        return unfinished(self.names.target)
