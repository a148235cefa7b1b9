"""ANALYZE: the planner's statistics, which a dump does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack

from dbpull.errors.postgres import SqlFailed
from dbpull.postgres.psql import UNLIMITED, Psql, reason
from dbpull.shell import PipedInput, PipedProcess
from dbpull.signals import SIGNALS

# Every table, like a bare ANALYZE: ANALYZE of a partitioned table includes its
# partitions. From 18 on, that of a parent includes its children, but for ONLY. A new
# database's catalogs come with statistics: those that have changed as much as makes
# autovacuum analyze a table (autovacuum_analyze_threshold, _scale_factor) get new ones.
STATEMENTS = """
SELECT nspname AS schema, relname AS name, format('ANALYZE %s%s;',
    CASE WHEN relhassubclass AND relkind <> 'p'
    AND current_setting('server_version_num')::int >= 180000 THEN 'ONLY ' END,
  c.oid::regclass) AS statement
FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'm', 'p') AND NOT relispartition AND relpersistence <> 't'
  AND (nspname NOT IN ('pg_catalog', 'information_schema')
       OR pg_stat_get_mod_since_analyze(c.oid) > 50 + 0.1 * greatest(reltuples, 0))
ORDER BY relkind = 'p' DESC, pg_relation_size(c.oid) DESC, c.oid
"""
"""The query for the statements that analyze a database, the longest first."""
# A crash loses statistics at the most, and only before the swap's own commit. With
# thousands of tables, waiting for the disk after each takes most of the time.
_FIRST = (
    "SET client_min_messages = error; SET lock_timeout = 0;"
    " SET synchronous_commit = off;\n"
)
ALL_BUT = f"""
{_FIRST}
SELECT statement FROM ({STATEMENTS}) every
WHERE array[schema, name]::text[] NOT IN
  (SELECT array[t->>0, t->>1] FROM json_array_elements(:'analyzed') t) \\gexec
"""  # noqa: S608 - of constants
"""The SQL that analyzes all tables but those in :'analyzed', a JSON list of pairs: a
schema and a name."""
_LAST = "\\echo analyzed\n"
_ONE = f'{_FIRST}ANALYZE :"schema".:"table";\n'
_NAME = "dbpull: ANALYZE"
LOOK_AGAIN = 0.2  # seconds between two checks for a signal


def start_analyzing(
    psql: Psql, shell: PipedInput, dbname: str, table: tuple[str, str]
) -> PipedProcess:
    """Start collecting the statistics of one table, given as schema and name."""
    schema, name = table
    return psql.start_piped(
        shell, _ONE, name=_NAME, dbname=dbname, schema=schema, table=name
    )


def analyze(psql: Psql, dbname: str, statements: Sequence[str], sessions: int) -> None:
    """Collect the statistics of a database's tables, in `sessions` at once.

    Raises SqlFailed, CannotConnect.
    """
    if sessions == 1:
        psql.run("\n".join([_FIRST, *statements]), doing="ANALYZE", dbname=dbname)
        return
    # The stack is left first: it ends the sessions, and so the threads that wait.
    with ThreadPoolExecutor(sessions) as pool, ExitStack() as stack:
        opened = [
            stack.enter_context(psql.conversation(dbname=dbname, name=_NAME))
            for _ in range(sessions)
        ]
        answers = []
        for number, session in enumerate(opened):
            share = [UNLIMITED, _FIRST, *statements[number::sessions], _LAST]
            answers.append(pool.submit(session.query, "\n".join(share)))
        while wait(answers, 0).not_done:
            with SIGNALS.deferred():  # see SIGNALS.wait
                wait(answers, LOOK_AGAIN)
        for session, answer in zip(opened, answers, strict=True):
            if answer.result().strip() != "analyzed":
                why = reason(session.last_words())
                raise SqlFailed("ANALYZE", psql.connection.label, why)
