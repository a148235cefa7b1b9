"""The target's lock: an advisory lock, one pull at a time, gone with its session."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from dbpull.errors.hosts import ConnectionLost
from dbpull.errors.postgres import CannotConnect
from dbpull.errors.target import LockLost, TargetError
from dbpull.postgres.psql import UNLIMITED, Psql, cause
from dbpull.shell import Dialogue

# Advisory locks are per database, but pg_locks shows those of all databases: another
# pull may hold its lock in another maintenance database.
_HOLDER = """
SELECT coalesce((
  SELECT coalesce(nullif(a.application_name, ''), 'a session of ' || a.usename,
                  'someone')
         || coalesce(' since ' || to_char(a.backend_start, 'HH24:MI'), '')
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
    AND l.classid::bigint IN (hashtext('dbpull')::bigint & 4294967295,
                              hashtext('dbpull copy')::bigint & 4294967295)
    AND l.objid::bigint = hashtext(:'target')::bigint & 4294967295
    AND l.pid <> pg_backend_pid()
  LIMIT 1), '');
"""
KEY = "hashtext('dbpull'), hashtext(:'target')"
UNLOCK = "SELECT pg_advisory_unlock_all() \\g /dev/null\n"
"""The statement that gives a session's locks back before the session's end."""
COPYING = "hashtext('dbpull copy'), hashtext(:'target')"
"""The lock of a session that copies files, which may outlive its run by seconds."""
IF_FREE = f"pg_try_advisory_lock({KEY})"
"""SQL that takes the lock until the session's end; true if the lock was free."""


@dataclass(frozen=True)
class TargetLock:
    """A target's lock, held as long as its session lives."""

    label: str
    _session: Dialogue
    answer: str = ""
    """The line that the first query under the lock has printed."""

    def query(self, sql: str) -> str:
        """The line that a query about `:'target'` prints in the lock's session.

        Raises LockLost where the session has ended: the server restarted, say.
        """
        return _answer(self._session, f"{sql}\n", self.label)

    def refuse_lost(self) -> None:
        """Raise LockLost where the session has ended."""
        self.query("SELECT 1;")


@contextmanager
def held(psql: Psql, first: str = "") -> Iterator[TargetLock]:
    """Hold the target's lock while in the context.

    `first` is a query about `:'target'` that prints a line. It is sent with the one for
    the lock, which saves a round trip to a host.

    Raises TargetError, CannotConnect, LockLost.
    """
    label = psql.connection.label
    target = psql.connection.dbname
    # The advisory lock lives as long as its session, and the session as long as our
    # psql's stdin is open: however we end, the lock ends.
    with psql.conversation(name=_name(), target=target) as session:
        asked = f"{UNLIMITED}SELECT {IF_FREE};\n{_HOLDER}{first}\n"
        answer = session.query(asked).strip()
        if answer not in {"t", "f"}:
            raise CannotConnect(label, cause(session.last_words()))
        holder = session.query("").strip()  # the second answer
        if answer == "f" or holder:
            holder = holder or "a pull that has just ended"
            raise TargetError(
                f"{label} is being replaced already, by {holder}.",
                "Wait until it has ended; then run the same command again if needed.",
            )
        yield TargetLock(label, session, _answer(session, "", label) if first else "")
        # The server ends a session a moment after its program: who takes the lock next,
        # such as a copy of what was pulled, must not meet our own.
        with suppress(ConnectionLost):
            session.last_words(UNLOCK)


def _answer(session: Dialogue, text: str, label: str) -> str:
    """The next line of an answer. Raises LockLost where the session has ended."""
    if not (answer := session.query(text).strip()):
        raise LockLost(label)
    return answer


def _name() -> str:
    """The application_name of the session with the lock: user, host and pid."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid())
    return f"dbpull of {user}@{socket.gethostname()} (pid {os.getpid()})"[:63]
