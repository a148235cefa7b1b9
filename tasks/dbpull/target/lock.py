"""One pull per target at a time: an advisory lock that no crash can leave behind."""

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
from dbpull.shell import Running
from dbpull.target.state import State

# An advisory lock belongs to its session, and the session to our psql's stdin: when we
# are gone, however that came, so is the lock.
_UNLIMITED = """
SELECT set_config(name, '0', false) FROM pg_settings
WHERE name = 'idle_session_timeout' \\g /dev/null
"""
_ASK = """
SELECT pg_try_advisory_lock({key});
"""
# Advisory locks are each database's own, but pg_locks shows them all: somebody may be
# at work from another maintenance database.
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
"""SQL that is true, and holds the lock to the session's end, if nobody has it."""


@dataclass(frozen=True)
class Lock:
    """The target's lock, as long as its session lives."""

    label: str
    _session: Running

    def refuse_lost(self) -> None:
        """Raise LockLost where the session has ended: the server restarted, say."""
        if self._session.query("SELECT 1;\n").strip() != "1":
            raise LockLost(self.label)


@contextmanager
def held(psql: Psql, state: State) -> Iterator[Lock]:
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
        yield Lock(label, session)


def _name() -> str:
    """Who holds the lock, in the 63 bytes of an application_name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"dbpull of {user}@{socket.gethostname()} (pid {os.getpid()})"[:63]
