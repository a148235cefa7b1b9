"""The state of the target and its server: version, role, owner, extensions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dbpull.errors.postgres import CannotConnect
from dbpull.errors.target import NoCreatedb, NotOwner, TargetError
from dbpull.postgres.psql import Psql
from dbpull.postgres.restricted import RESTRICTED
from dbpull.target.names import Names

# has_parameter_privilege is new in 15; before, only superusers could set these.
_MAY_SET = """
SELECT current_setting('server_version_num')::int >= 150000 AS grants \\gset
\\if :grants
  SELECT coalesce(json_agg(name), '[]') AS may_set
  FROM unnest(:'restricted'::text[]) name
  WHERE current_setting(name, true) IS NOT NULL
    AND has_parameter_privilege(name, 'SET') \\gset
\\else
  SELECT coalesce(json_agg(name), '[]') AS may_set
  FROM unnest(:'restricted'::text[]) name, pg_roles
  WHERE current_setting(name, true) IS NOT NULL
    AND rolname = current_user AND rolsuper \\gset
\\endif
"""
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
  'extensions', (
    SELECT json_object_agg(name, r.rolsuper OR v.trusted OR NOT v.superuser)
    FROM pg_available_extensions e JOIN pg_available_extension_versions v USING (name)
    WHERE v.version = e.default_version),
  'folder', CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
                 THEN current_setting('data_directory') END,
  'may_set', :'may_set'::json)
FROM pg_roles r LEFT JOIN pg_database d ON d.datname = :'target'
WHERE r.rolname = current_user;
"""
_LACKS_POSTGRES = re.compile(r"(?<!at )[\"«»„“「]\s?postgres\s?[\"«»”“」]")


@dataclass(frozen=True)
class State:
    """The state of the target and its server, as `inspect` found it."""

    maintenance: str
    """The database that we connect to while the target is renamed."""
    version: int
    """The server's server_version_num: 180006."""
    user: str
    superuser: bool
    createdb: bool
    exists: bool
    owner: str | None
    owned: bool | None
    size: int | None
    """The target's bytes."""
    comment: str | None
    standby: bool
    extensions: Mapping[str, bool]
    """The extensions that the server offers, and whether this role may create each."""
    folder: str | None
    """The server's data directory; None where this role may not know it."""
    may_set: frozenset[str]
    """Of the restricted settings of our sessions, those that this role may set."""

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.version // 10000


def inspect(psql: Psql, *, own: bool = False) -> State:
    """Query the server for its state. Raises CannotConnect.

    `own`: through the target itself, where no other database may be used.
    """
    names = Names(psql.connection.dbname)
    for maintenance in (names.target,) if own else ("postgres", "template1"):
        try:
            rows = psql.run(
                _MAY_SET + _STATE,
                doing="Looking at the target",
                dbname=maintenance,
                target=names.target,
                restricted=f"{{{','.join(RESTRICTED)}}}",
            )
        except CannotConnect as error:
            # The server's message, in its own language: database "postgres" ….
            if maintenance == "postgres" and _LACKS_POSTGRES.search(error.what):
                continue
            raise
        return _state(maintenance, json.loads(rows[0][0]))
    raise AssertionError


def refuse_standby(state: State, label: str) -> None:
    """Raise TargetError where the server is a standby, which can't be written to."""
    if state.standby:
        raise TargetError(
            f"The server of {label} is a standby, which nothing can be written to.",
            "Name a database of its primary, or of another server, as target.",
        )


def refuse_powerless(state: State, label: str) -> None:
    """Raise NoCreatedb or NotOwner where this role may not create and rename."""
    if not state.createdb:
        raise NoCreatedb(state.user, label)
    if state.exists and not (state.superuser or state.owned):
        raise NotOwner(state.user, str(state.owner), label)


def _state(maintenance: str, fields: dict[str, Any]) -> State:
    fields["extensions"] = fields["extensions"] or {}
    fields["may_set"] = frozenset(fields["may_set"])
    return State(maintenance=maintenance, **fields)
