"""One pull per target at a time: an advisory lock that no crash can leave behind."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from dbpull.errors.postgres import CannotConnect
from dbpull.errors.target import TargetLocked
from dbpull.postgres.psql import Psql, cause
from dbpull.target.state import State

# An advisory lock belongs to its session, and the session to our psql's stdin: when we
# are gone, however that came, so is the lock.
_UNLIMITED = """
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name = 'idle_session_timeout' \\g /dev/null
"""
_TRY = """
SELECT pg_try_advisory_lock(hashtext('dbpull'), hashtext(:'target'));
"""
_HOLDER = """
SELECT coalesce(nullif(a.application_name, ''), 'a session of ' || a.usename, 'someone')
       || coalesce(' since ' || to_char(a.backend_start, 'HH24:MI'), '')
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
  AND l.classid::bigint = hashtext('dbpull')::bigint & 4294967295
  AND l.objid::bigint = hashtext(:'target')::bigint & 4294967295
LIMIT 1;
"""


@contextmanager
def held(psql: Psql, state: State) -> Iterator[None]:
    """Hold the target's lock while in the context. Raises TargetLocked."""
    target = psql.connection.dbname
    with psql.conversation(
        dbname=state.maintenance, name=_name(), target=target
    ) as session:
        answer = session.ask(_UNLIMITED + _TRY).strip()
        if answer == "f":
            raise TargetLocked(psql.connection.label, _holder(psql, state))
        if answer != "t":
            err = session.last_words()
            raise CannotConnect(psql.connection.label, cause(err))
        yield


def is_free(psql: Psql, state: State, target: str) -> bool:
    """Whether nobody is at work on that target just now."""
    rows = psql.run(
        _TRY, doing="Looking for other pulls", dbname=state.maintenance, target=target
    )
    return rows == [["t"]]


def _holder(psql: Psql, state: State) -> str:
    rows = psql.run(
        _HOLDER,
        doing="Asking who is at work",
        dbname=state.maintenance,
        target=psql.connection.dbname,
    )
    return rows[0][0] if rows else "a pull that has just ended"


def _name() -> str:
    """Who holds the lock, in the 63 bytes of an application_name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"dbpull of {user}@{socket.gethostname()} (pid {os.getpid()})"[:63]
