"""The state of the target and its server: version, role, owner, extensions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dbpull.errors.postgres import CannotConnect
from dbpull.errors.sql_names import quoted
from dbpull.errors.target import NotOwner, TargetError
from dbpull.postgres.psql import Psql
from dbpull.postgres.restricted import RESTRICTED
from dbpull.target.family import LOOK, Family
from dbpull.target.names import Names

# has_parameter_privilege is new in 15; before, only superusers could set these.
_MAY_SET = """
SELECT current_setting('server_version_num')::int >= 150000 AS grants \\gset
\\if :grants
  SELECT coalesce(json_agg(name), '[]') AS may_set
  FROM unnest('{restricted}'::text[]) name
  WHERE current_setting(name, true) IS NOT NULL
    AND has_parameter_privilege(name, 'SET') \\gset
\\else
  SELECT coalesce(json_agg(name), '[]') AS may_set
  FROM unnest('{restricted}'::text[]) name, pg_roles
  WHERE current_setting(name, true) IS NOT NULL
    AND rolname = current_user AND rolsuper \\gset
\\endif
""".replace("restricted", ",".join(RESTRICTED))
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
    SELECT coalesce(json_object_agg(name, r.rolsuper OR v.trusted OR NOT v.superuser),
                    '{{}}')
    FROM pg_available_extensions e JOIN pg_available_extension_versions v USING (name)
    WHERE v.version = e.default_version),
  'folder', CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'USAGE')
                 THEN current_setting('data_directory') END,
  'may_set', :'may_set'::json,
  'family', ({family}))
FROM pg_roles r LEFT JOIN pg_database d ON d.datname = :'target'
WHERE r.rolname = current_user;
"""
QUERY = _MAY_SET + _STATE.format(family=LOOK)
_QUERY_OF_ITS_OWN = _MAY_SET + _STATE.format(family="SELECT '[]'::json")
_LACKS_POSTGRES = re.compile(r"(?<!at )[\"«»„“「]\s?postgres\s?[\"«»”“」]")


@dataclass(frozen=True)
class State:
    """The state of the target and its server at one moment."""

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
    may_set: list[str]
    """Of the restricted settings of our sessions, those that this role may set."""
    family: Family
    """The target, and the databases kept beside it."""

    @property
    def major(self) -> int:
        """The server's major version."""
        return self.version // 10000

    @classmethod
    def of_answer(cls, names: Names, answer: str) -> State:
        """The state from the answer to QUERY."""
        fields = json.loads(answer)
        fields["family"] = Family.of_rows(names, fields["family"])
        return cls(**fields)


def inspect(psql: Psql, *, own: bool = False) -> tuple[Psql, State]:
    """Query the server for its state; returns the psql for this server, too.

    Raises CannotConnect.
    `own`: through the target itself, where no other database may be used.
    """
    names = Names(psql.connection.dbname)
    for maintenance in (names.target,) if own else ("postgres", "template1"):
        found = replace(psql, maintenance=maintenance)
        try:
            answer = found.query(_QUERY_OF_ITS_OWN if own else QUERY)
        except CannotConnect as error:
            # The server's message, in its own language: database "postgres" ….
            if maintenance == "postgres" and _LACKS_POSTGRES.search(error.what):
                continue
            raise
        state = State.of_answer(names, answer)
        return found.setting(frozenset(state.may_set)), state
    raise AssertionError


def refuse_standby(state: State, label: str) -> None:
    """Raise TargetError where the server is a standby, which can't be written to."""
    if state.standby:
        raise TargetError(
            f"The server of {label} is a standby, which is read-only.",
            "Name a database of its primary, or of another server, as target.",
        )


def refuse_powerless(state: State, label: str) -> None:
    """Raise TargetError or NotOwner where this role may not create and rename."""
    if not state.createdb:
        raise TargetError(
            f"{state.user} may not create databases, so {label} can't be rebuilt"
            " aside.",
            f"Let a superuser run ALTER ROLE {quoted(state.user)} CREATEDB. Or pass"
            " --in-place: it refills the database itself, without a previous one to go"
            " back to.",
        )
    if state.exists and not state.owned:
        raise NotOwner(state.user, str(state.owner), label)
