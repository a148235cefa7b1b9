"""The search_path of a platform's databases, which no dump sets."""

from __future__ import annotations

from dataclasses import dataclass

from dbpull.errors.postgres import SqlFailed
from dbpull.platforms import Platform
from dbpull.postgres.psql import Psql

_SEARCH_PATHS = """
SELECT setrole = 0, substr(setting, strpos(setting, '=') + 1)
FROM pg_db_role_setting s LEFT JOIN pg_database d ON d.oid = s.setdatabase
  LEFT JOIN pg_roles r ON r.oid = s.setrole, unnest(setconfig) setting
WHERE setting LIKE 'search_path=%'
  AND (datname = :'name' OR (setdatabase = 0 AND rolname = current_user));
"""
_SET = 'ALTER DATABASE :"name" SET search_path = {};'
_RESET = 'ALTER DATABASE :"name" RESET search_path;'


@dataclass(frozen=True)
class SearchPath:
    """A platform's search_path, and whether a database needs it."""

    platform: Platform
    wanted: bool

    def settle(self, psql: Psql, dbname: str, maintenance: str) -> str:
        """Set the search_path on a database, or reset it; returns a note for the user.

        A search_path of the database's own, or of our role, stays. One equal to the
        platform's counts as set by dbpull: where it is not wanted, it makes no
        difference. Raises CannotConnect.
        """
        schema, value = self.platform.extension_schema, self.platform.search_path
        looking = "Looking at its search_path"
        rows = psql.run(_SEARCH_PATHS, doing=looking, dbname=maintenance, name=dbname)
        ours = ["t", value] in rows
        own = [found for whole, found in rows if [whole, found] != ["t", value]]
        if own and self.wanted:
            lacks = not any(schema in found for found in own)
            note = f"Its own search_path lacks {schema}, where extensions are."
            return note if lacks else ""
        if ours == self.wanted:
            return self._told("is") if ours else ""
        try:
            self._set(psql, dbname, maintenance)
        except SqlFailed:
            if not self.wanted:
                return ""
            return (
                f"At {self.platform.name} {schema} is searched, too; here its owner has"
                f' to say so: ALTER DATABASE "{dbname}" SET search_path = {value};'
            )
        return self._told("is now") if self.wanted else ""

    def _set(self, psql: Psql, dbname: str, maintenance: str) -> None:
        psql.run(
            _SET.format(self.platform.search_path) if self.wanted else _RESET,
            doing="Setting its search_path",
            dbname=maintenance,
            name=dbname,
        )

    def _told(self, how: str) -> str:
        platform = self.platform
        return f"Its search_path {how} {platform.search_path}, as at {platform.name}."
