"""The settings of a new database: the target's own, and a platform's search_path."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dbpull.platforms import Platform
from dbpull.postgres.psql import Psql

# The list-valued settings are stored quoted already (pg_dump's dumputils.c,
# variable_is_guc_list_quote); all others are one literal.
SETTINGS = """
\\set ON_ERROR_STOP 0
SELECT format('ALTER %s SET %s TO %s',
    CASE setrole WHEN 0 THEN format('DATABASE %I', :'name')
    ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(setrole), :'name') END,
    split_part(setting, '=', 1),
    CASE WHEN lower(split_part(setting, '=', 1)) IN ('local_preload_libraries',
      'search_path', 'session_preload_libraries', 'shared_preload_libraries',
      'temp_tablespaces', 'unix_socket_directories')
    THEN CASE WHEN substr(setting, strpos(setting, '=') + 1) IN ('', '""') THEN ''''''
      ELSE substr(setting, strpos(setting, '=') + 1) END
    ELSE quote_literal(substr(setting, strpos(setting, '=') + 1)) END)
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
  unnest(setconfig) setting
WHERE datname = :'source' \\gexec
SELECT format('ALTER DATABASE %I CONNECTION LIMIT %s', :'name', datconnlimit)
FROM pg_database WHERE datname = :'source' AND datconnlimit >= 0 \\gexec
SELECT format('ALTER DATABASE %I IS_TEMPLATE true', :'name')
FROM pg_database WHERE datname = :'source' AND datistemplate \\gexec
\\set ON_ERROR_STOP 1
SELECT coalesce(json_agg(DISTINCT split_part(setting, '=', 1)), '[]') AS missed
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
  unnest(setconfig) setting
WHERE datname = :'source' AND (setrole, setting) NOT IN (
  SELECT setrole, setting
  FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
    unnest(setconfig) setting
  WHERE datname = :'name') \\gset
"""
"""The SQL that gives a database :'name' the settings of the database :'source'.

It leaves those that this role may not set in :missed, as JSON.
"""
# A search_path of the database's own, or of our role, stays. One that equals the
# platform's counts as set by dbpull: where it is not wanted, it makes no difference.
_SEARCH_PATH = """
SELECT *, ours <> wanted AND NOT (own AND wanted) AS changes FROM (
  SELECT :'wanted'::boolean AS wanted, coalesce(bool_or(ours), false) AS ours,
    coalesce(bool_or(NOT ours), false) AS own,
    coalesce(bool_or(NOT ours AND strpos(value, :'schema') > 0), false) AS searched
  FROM (
    SELECT value, setrole = 0 AND value = :'path' AS ours
    FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase
      LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(setconfig) setting,
      substr(setting, strpos(setting, '=') + 1) value
    WHERE setting LIKE 'search_path=%'
      AND (datname = :'name' OR (setdatabase = 0 AND rolname = current_user))
  ) each) every \\gset
\\set failed false
\\if :changes
  \\set ON_ERROR_STOP 0
  \\if :wanted
    ALTER DATABASE :"name" SET search_path = :path;
  \\else
    ALTER DATABASE :"name" RESET search_path;
  \\endif
  \\set failed :ERROR
\\endif
SELECT :'missed', json_build_object('ours', :'ours'::boolean,
  'own', :'own'::boolean, 'searched', :'searched'::boolean,
  'changes', :'changes'::boolean, 'failed', :'failed'::boolean);
"""


@dataclass(frozen=True)
class SearchPath:
    """A platform's search_path, and whether a database needs it."""

    platform: Platform
    wanted: bool


def settle(
    psql: Psql, dbname: str, search_path: SearchPath, *, copied: bool
) -> tuple[list[str], str]:
    """Give a database its search_path, and, with `copied`, the target's settings.

    Returns the names of the settings that this role may not set, and a note about the
    search_path for the user. Called after the restore, so that no setting
    (default_transaction_read_only) disturbs it. Raises CannotConnect, SqlFailed.
    """
    platform = search_path.platform
    [[missed, answer]] = psql.run(
        SETTINGS + _SEARCH_PATH,
        doing="Copying the target's settings",
        source=psql.connection.dbname if copied else "",
        name=dbname,
        wanted=str(search_path.wanted),
        schema=platform.extension_schema,
        path=platform.search_path,
    )
    return json.loads(missed), _note(dbname, search_path, json.loads(answer))


def _note(dbname: str, search_path: SearchPath, answer: dict[str, bool]) -> str:
    """The note for the user on the search_path; "" for none."""
    platform = search_path.platform
    schema, value = platform.extension_schema, platform.search_path
    if not search_path.wanted:
        return ""
    if answer["own"]:
        lacks = f"Its own search_path lacks {schema}, where extensions are."
        return "" if answer["searched"] else lacks
    if answer["failed"]:
        return (
            f"At {platform.name} {schema} is searched, too; here its owner has"
            f' to say so: ALTER DATABASE "{dbname}" SET search_path = {value};'
        )
    is_now = "is now" if answer["changes"] else "is"
    return f"Its search_path {is_now} {value}, as at {platform.name}."
