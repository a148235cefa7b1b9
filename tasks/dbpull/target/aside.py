"""The aside database: made like the target, filled, and dropped where that fails."""

from __future__ import annotations

from dataclasses import dataclass

from dbpull.errors.target import NameTaken
from dbpull.postgres.psql import Psql
from dbpull.target.lock import is_free
from dbpull.target.names import Names, is_ours
from dbpull.target.provenance import unfinished, unfinished_of
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
SELECT format('COMMENT ON DATABASE %I IS %L', :'aside', :'comment') \\gexec
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
"""
_LEFT = """
SELECT datname, coalesce(shobj_description(oid, 'pg_database'), '')
FROM pg_database WHERE datname LIKE '%\\_\\_dbpull\\_%' ORDER BY datname;
"""
_DROP = """
SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', :'aside') \\gexec
"""
_EMPTY = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_toast';
"""


@dataclass(frozen=True)
class Aside:
    """The new database of a target, while it is being built."""

    psql: Psql
    state: State
    names: Names

    def create(self) -> None:
        """Make it like the target (owner, encoding, locale, privileges), but empty."""
        self._run(
            _CREATE,
            "Creating the aside database",
            comment=unfinished(self.names.target),
        )

    def take_settings(self) -> None:
        """Give it what ALTER DATABASE … SET gave the target.

        Last of all, so that none of it (default_transaction_read_only) meets the
        restore; a setting that we may not give is left to its owner.
        """
        self._run(_SETTINGS, "Copying the target's settings")

    def drop(self) -> None:
        """Remove it, with whoever is connected to it."""
        self._run(_DROP, "Dropping the aside database")

    def _run(self, sql: str, doing: str, **more: str) -> None:
        self.psql.run(
            sql,
            doing=doing,
            dbname=self.state.maintenance,
            target=self.names.target,
            aside=self.names.aside,
            **more,
        )


def leftovers(psql: Psql, state: State) -> list[str]:
    """Databases on this server that crashed runs left: nobody is at work on them.

    Raises NameTaken where a name we need is in use for something else.
    """
    rows = psql.run(
        _LEFT, doing="Looking for what crashed runs left", dbname=state.maintenance
    )
    names = Names(psql.connection.dbname)
    found = []
    for dbname, comment in rows:
        target = unfinished_of(comment)
        if dbname in {names.aside, names.discarded}:
            if target is None and not _is_empty(psql, dbname):
                raise NameTaken(dbname)
            found.append(dbname)
        elif target is not None and is_ours(dbname) and is_free(psql, state, target):
            found.append(dbname)
    return found


def drop(psql: Psql, state: State, dbname: str) -> None:
    """Drop one of the leftovers."""
    psql.run(_DROP, doing=f"Dropping {dbname}", dbname=state.maintenance, aside=dbname)


def _is_empty(psql: Psql, dbname: str) -> bool:
    """Killed between its creation and its comment, a database of ours is empty."""
    return psql.run(_EMPTY, doing=f"Looking into {dbname}", dbname=dbname) == [["0"]]
