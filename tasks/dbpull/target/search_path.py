"""Heroku's search_path: it names heroku_ext, too, and no dump sets it.

Without that search_path, citext compares with case, and `unaccent()` is not found.
"""

from __future__ import annotations

from dbpull.errors.postgres import SqlFailed
from dbpull.postgres.psql import Psql

SCHEMA = "heroku_ext"
VALUE = f'"$user", public, {SCHEMA}'
_SEARCH_PATHS = """
SELECT setrole = 0, substr(setting, strpos(setting, '=') + 1)
FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase
  LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(setconfig) setting
WHERE setting LIKE 'search_path=%'
  AND (datname = :'name' OR (setdatabase = 0 AND rolname = current_user));
"""
_SET = f'ALTER DATABASE :"name" SET search_path = {VALUE};'
_RESET = 'ALTER DATABASE :"name" RESET search_path;'


def settle(psql: Psql, dbname: str, maintenance: str, *, wanted: bool) -> str:
    """Set Heroku's search_path on a database, or reset it; returns a note for the user.

    A search_path of the database's own, or of our role, stays. One equal to Heroku's
    counts as set by dbpull: without heroku_ext it makes no difference. Raises
    CannotConnect.
    """
    rows = psql.run(
        _SEARCH_PATHS,
        doing="Looking at its search_path",
        dbname=maintenance,
        name=dbname,
    )
    ours = ["t", VALUE] in rows
    own = [value for whole, value in rows if [whole, value] != ["t", VALUE]]
    if own and wanted:
        lacks = not any(SCHEMA in value for value in own)
        note = f"Its own search_path lacks {SCHEMA}, where extensions are."
        return note if lacks else ""
    if ours == wanted:
        return f"Its search_path is {VALUE}, as at Heroku." if ours else ""
    try:
        psql.run(
            _SET if wanted else _RESET,
            doing="Setting its search_path",
            dbname=maintenance,
            name=dbname,
        )
    except SqlFailed:
        if not wanted:
            return ""
        return (
            f"At Heroku {SCHEMA} is searched, too; here its owner has to say so:"
            f' ALTER DATABASE "{dbname}" SET search_path = {VALUE};'
        )
    return f"Its search_path is now {VALUE}, as at Heroku." if wanted else ""
