"""The aside database: made like the target, filled, and dropped if filling fails.

The aside database is known by its oid, so that another database of the same name is
never swapped in nor dropped: once the lock is lost (the server restarted), another pull
can make an aside database.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from dbpull.postgres.psql import Psql
from dbpull.target.lock import KEY
from dbpull.target.names import Names
from dbpull.target.provenance import unfinished
from dbpull.target.state import State

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
SELECT oid FROM pg_database WHERE datname = :'aside';
"""
_DRESS = """
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'aside')
FROM pg_database WHERE datname = :'target' AND datacl IS NOT NULL \\gexec
SELECT format('GRANT %s ON DATABASE %I TO %s%s', privilege_type, :'aside',
    CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
    CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_database, aclexplode(datacl) WHERE datname = :'target' \\gexec
"""
# The list-valued settings are stored quoted already (pg_dump's dumputils.c,
# variable_is_guc_list_quote); all others are one literal.
_SETTINGS = """
\\set ON_ERROR_STOP 0
SELECT format('ALTER %s SET %s TO %s',
    CASE setrole WHEN 0 THEN format('DATABASE %I', :'aside')
    ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(setrole), :'aside') END,
    split_part(setting, '=', 1),
    CASE WHEN lower(split_part(setting, '=', 1)) IN ('local_preload_libraries',
      'search_path', 'session_preload_libraries', 'shared_preload_libraries',
      'temp_tablespaces', 'unix_socket_directories')
    THEN CASE WHEN substr(setting, strpos(setting, '=') + 1) IN ('', '""') THEN ''''''
      ELSE substr(setting, strpos(setting, '=') + 1) END
    ELSE quote_literal(substr(setting, strpos(setting, '=') + 1)) END)
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
  unnest(setconfig) setting
WHERE datname = :'target' \\gexec
SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s', :'aside', datconnlimit)
FROM pg_database WHERE datname = :'target' AND datconnlimit >= 0 \\gexec
SELECT format('ALTER DATABASE %I IS_TEMPLATE true', :'aside')
FROM pg_database WHERE datname = :'target' AND datistemplate \\gexec
"""
_NOT_TAKEN = """
\\set ON_ERROR_STOP 1
SELECT DISTINCT split_part(setting, '=', 1)
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
  unnest(setconfig) setting
WHERE datname = :'target' AND (setrole, setting) NOT IN (
  SELECT setrole, setting
  FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
    unnest(setconfig) setting
  WHERE datname = :'aside');
"""
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
SELECT pg_advisory_lock({key}) \\g /dev/null
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
    state: State
    names: Names
    oid: str = field(default="", init=False)
    """The oid of the created database; "" before `create`."""

    def create(self) -> None:
        """Create an empty database with the target's owner, locale and privileges.

        Raises SqlFailed.
        """
        doing = "Creating the aside database"
        self.oid = self._run(_CREATE, doing, mark=self._mark)[0][0]
        self._run(_DRESS, doing)

    def on_disconnect(self) -> AbstractContextManager[None]:
        """Have a host drop the aside database if the connection is lost meanwhile."""
        sql = _ON_DISCONNECT.format(key=KEY)
        return self.psql.on_disconnect(
            sql, dbname=self.state.maintenance, mark=self._mark, **self._named
        )

    def take_settings(self) -> list[str]:
        """Copy the target's ALTER DATABASE … SET settings.

        Returns the names of the settings that this role may not set. Called after the
        restore, so that no setting (default_transaction_read_only) disturbs it.
        """
        doing = "Copying the target's settings"
        return [name for (name,) in self._run(_SETTINGS + _NOT_TAKEN, doing)]

    def drop(self) -> None:
        """Drop the aside database, and end the sessions on it."""
        if self.oid:
            self._run(_DROP, "Dropping the aside database", oid=self.oid)

    def _run(self, sql: str, doing: str, **more: str) -> list[list[str]]:
        return self.psql.run(
            sql,
            doing=doing,
            dbname=self.state.maintenance,
            **self._named,
            **more,
        )

    @property
    def _named(self) -> dict[str, str]:
        names = self.names
        return {
            "target": names.target,
            "aside": names.aside,
        }

    @property
    def _mark(self) -> str:
        return unfinished(self.names.target)
