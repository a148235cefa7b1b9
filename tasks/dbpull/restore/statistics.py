"""The planner's statistics, which a dump does not hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack

from dbpull.errors.postgres import SqlFailed
from dbpull.postgres.psql import UNLIMITED, Psql, cause
from dbpull.shell import Running

# Every table, like a bare ANALYZE. A partitioned one brings its partitions with it.
_SHARE = """
SET client_min_messages = error;
SELECT format('ANALYZE %s', oid::regclass) FROM (
  SELECT oid, row_number() OVER (
    ORDER BY relkind = 'p' DESC, pg_relation_size(oid) DESC, oid
  ) AS place
  FROM pg_class
  WHERE relkind IN ('r', 'm', 'p') AND NOT relispartition AND relpersistence <> 't'
) AS tables WHERE place % :'sessions'::int = :'own'::int ORDER BY place
\\gexec
\\echo analyzed
"""
_NAME = "dbpull: ANALYZE"


def analyze(psql: Psql, dbname: str, sessions: int) -> None:
    """Collect the statistics of a database's tables, so many of them at a time.

    Raises SqlFailed, CannotConnect.
    """
    if sessions == 1:
        psql.run("ANALYZE;", doing="ANALYZE", dbname=dbname)
        return
    # What is left first ends the sessions, and with them the threads that wait.
    with ThreadPoolExecutor(sessions) as pool, ExitStack() as stack:
        opened = [
            stack.enter_context(_session(psql, dbname, sessions, own))
            for own in range(sessions)
        ]
        told = [pool.submit(session.ask, UNLIMITED + _SHARE) for session in opened]
        for session, answer in zip(opened, told, strict=True):
            if answer.result().strip() != "analyzed":
                why = cause(session.last_words())
                raise SqlFailed("ANALYZE", psql.connection.label, why)


def _session(
    psql: Psql, dbname: str, sessions: int, own: int
) -> AbstractContextManager[Running]:
    return psql.conversation(
        dbname=dbname, name=_NAME, sessions=str(sessions), own=str(own)
    )
