"""The planner's statistics, which a dump does not hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack

from dbpull.errors.postgres import SqlFailed
from dbpull.postgres.psql import UNLIMITED, Psql, reason
from dbpull.signals import SIGNALS

# Every table, like a bare ANALYZE: a partitioned one brings its partitions with it.
# From 18 on so does a parent with its children, unless it is told not to.
_STATEMENTS = """
SELECT format('ANALYZE %s%s;', CASE WHEN relhassubclass AND relkind <> 'p'
    AND current_setting('server_version_num')::int >= 180000 THEN 'ONLY ' END,
  oid::regclass)
FROM pg_class
WHERE relkind IN ('r', 'm', 'p') AND NOT relispartition AND relpersistence <> 't'
ORDER BY relkind = 'p' DESC, pg_relation_size(oid) DESC, oid;
"""
_FIRST = "SET client_min_messages = error; SET lock_timeout = 0;"
_LAST = "\\echo analyzed\n"
_NAME = "dbpull: ANALYZE"
LOOK_AGAIN = 0.2  # seconds until a signal is heard


def analyze(psql: Psql, dbname: str, sessions: int) -> None:
    """Collect the statistics of a database's tables, in so many sessions.

    Raises SqlFailed, CannotConnect.
    """
    if sessions == 1:
        psql.run("ANALYZE;", doing="ANALYZE", dbname=dbname)
        return
    # Asked once: while tables are analyzed their order by size changes.
    rows = psql.run(_STATEMENTS, doing="ANALYZE", dbname=dbname)
    statements = [statement for [statement] in rows]
    # What is left first ends the sessions, and with them the threads that wait.
    with ThreadPoolExecutor(sessions) as pool, ExitStack() as stack:
        opened = [
            stack.enter_context(psql.conversation(dbname=dbname, name=_NAME))
            for _ in range(sessions)
        ]
        told = []
        for own, session in enumerate(opened):
            share = [UNLIMITED, _FIRST, *statements[own::sessions], _LAST]
            told.append(pool.submit(session.query, "\n".join(share)))
        while wait(told, 0).not_done:
            with SIGNALS.deferred():  # see SIGNALS.wait
                wait(told, LOOK_AGAIN)
        for session, answer in zip(opened, told, strict=True):
            if answer.result().strip() != "analyzed":
                why = reason(session.last_words())
                raise SqlFailed("ANALYZE", psql.connection.label, why)
