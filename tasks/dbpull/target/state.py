"""What the target's server is and has, in one question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbpull.errors.postgres import CannotConnect
from dbpull.errors.target import IsStandby, NoCreatedb, NotOwner
from dbpull.postgres.psql import Psql
from dbpull.target.names import Names

_STATE = """
SELECT json_build_object(
  'version', current_setting('server_version_num')::int,
  'user', current_user,
  'superuser', r.rolsuper,
  'createdb', r.rolsuper OR r.rolcreatedb,
  'exists', d.oid IS NOT NULL,
  'owner', pg_get_userbyid(d.datdba),
  'owned', pg_has_role(current_user, d.datdba, 'USAGE')
    AND CASE WHEN current_setting('server_version_num')::int >= 160000
        THEN pg_has_role(current_user, d.datdba, 'SET') ELSE true END,
  'standby', pg_is_in_recovery(),
  'size', CASE WHEN has_database_privilege(d.oid, 'CONNECT')
               THEN pg_database_size(d.oid) END,
  'comment', shobj_description(d.oid, 'pg_database'),
  'previous', EXISTS (SELECT FROM pg_database WHERE datname = :'previous'),
  'extensions', (
    SELECT json_object_agg(name, r.rolsuper OR v.trusted OR NOT v.superuser)
    FROM pg_available_extensions e JOIN pg_available_extension_versions v USING (name)
    WHERE v.version = e.default_version),
  'folder', (SELECT setting FROM pg_settings WHERE name = 'data_directory'))
FROM pg_roles r LEFT JOIN pg_database d ON d.datname = :'target'
WHERE r.rolname = current_user;
"""


@dataclass(frozen=True)
class State:
    """The target's server as we found it."""

    maintenance: str
    """The database that we are connected to while the target is renamed."""
    version: int
    """As server_version_num: 180006."""
    user: str
    superuser: bool
    createdb: bool
    exists: bool
    owner: str | None
    owned: bool | None
    size: int | None
    """Bytes, of the database to be replaced."""
    comment: str | None
    previous: bool
    standby: bool
    extensions: Mapping[str, bool]
    """What the server offers, and whether this role may create it."""
    folder: str | None
    """The server's data directory, where we are allowed to know it."""

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.version // 10000


def inspect(psql: Psql, *, own: bool = False) -> State:
    """Ask the server; `own`: through the database itself, where no other may be used.

    Raises CannotConnect.
    """
    names = Names(psql.connection.dbname)
    for maintenance in (names.target,) if own else ("postgres", "template1"):
        try:
            rows = psql.run(
                _STATE,
                doing="Looking at the target",
                dbname=maintenance,
                target=names.target,
                previous=names.previous,
            )
        except CannotConnect as error:
            if maintenance == "postgres" and 'database "postgres"' in error.what:
                continue
            raise
        return _state(maintenance, json.loads(rows[0][0]))
    raise AssertionError


def refuse_standby(state: State, label: str) -> None:
    """Raise IsStandby where nothing can be written."""
    if state.standby:
        raise IsStandby(label)


def refuse_powerless(state: State, label: str) -> None:
    """Raise NoCreatedb or NotOwner where we could not build aside and rename."""
    if not state.createdb:
        raise NoCreatedb(state.user, label)
    if state.exists and not (state.superuser or state.owned):
        raise NotOwner(state.user, str(state.owner), label)


def _state(maintenance: str, told: dict[str, Any]) -> State:
    told["extensions"] = told["extensions"] or {}
    return State(maintenance=maintenance, **told)
