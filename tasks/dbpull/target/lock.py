"""The target's lock: an advisory lock, one pull at a time, gone with its session."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from dbpull.errors.postgres import CannotConnect
from dbpull.errors.target import LockLost, TargetLocked
from dbpull.postgres.psql import Psql, cause
from dbpull.shell import Dialogue
from dbpull.target.state import State

# The advisory lock lives as long as its session, and the session as long as our psql's
# stdin is open: however we end, the lock ends.
_UNLIMITED = """
SELECT set_config('idle_session_timeout', '0', false)
WHERE current_setting('idle_session_timeout', true) IS NOT NULL \\g /dev/null
"""
_ASK = """
SELECT pg_try_advisory_lock({key});
"""
# Advisory locks are per database, but pg_locks shows those of all databases: another
# pull may hold its lock in another maintenance database.
_HOLDER = """
SELECT coalesce((
  SELECT coalesce(nullif(a.application_name, ''), 'a session of ' || a.usename,
                  'someone')
         || coalesce(' since ' || to_char(a.backend_start, 'HH24:MI'), '')
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
    AND l.classid::bigint = hashtext('dbpull')::bigint & 4294967295
    AND l.objid::bigint = hashtext(:'target')::bigint & 4294967295
    AND l.pid <> pg_backend_pid()
  LIMIT 1), '');
"""
KEY = "hashtext('dbpull'), hashtext(:'target')"
IF_FREE = f"pg_try_advisory_lock({KEY})"
"""SQL that takes the lock until the session's end; true if the lock was free."""


@dataclass(frozen=True)
class TargetLock:
    """A target's lock, held as long as its session lives."""

    label: str
    _session: Dialogue

    def refuse_lost(self) -> None:
        """Raise LockLost where the session has ended: the server restarted, say."""
        if self._session.query("SELECT 1;\n").strip() != "1":
            raise LockLost(self.label)


@contextmanager
def held(psql: Psql, state: State) -> Iterator[TargetLock]:
    """Hold the target's lock while in the context.

    Raises TargetLocked, CannotConnect.
    """
    label = psql.connection.label
    with psql.conversation(
        dbname=state.maintenance, name=_name(), target=psql.connection.dbname
    ) as session:
        answer = session.query(_UNLIMITED + _ASK.format(key=KEY)).strip()
        if answer not in {"t", "f"}:
            raise CannotConnect(label, cause(session.last_words()))
        holder = session.query(_HOLDER).strip()
        if answer == "f" or holder:
            raise TargetLocked(label, holder or "a pull that has just ended")
        yield TargetLock(label, session)


def _name() -> str:
    """The application_name of the session with the lock: user, host and pid."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"dbpull of {user}@{socket.gethostname()} (pid {os.getpid()})"[:63]
