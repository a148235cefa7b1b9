"""The end of a run that was killed: what it has begun at a server outlives it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress

from databases import Postgres
from dbpull.download import CHUNK
from projects import PATIENCE, Project, Run, marked

LOCKS = """SELECT count(*) FROM pg_locks
  WHERE locktype = 'advisory' AND granted AND pid <> pg_backend_pid();"""
SESSIONS = """SELECT count(*) FROM pg_stat_activity
  WHERE backend_type = 'client backend' AND pid <> pg_backend_pid();"""


def unlocked(server: Postgres) -> None:
    """Wait until no killed run holds a target's lock: its session ends by itself.

    For runs that are known to have had it.
    """
    _none(lambda: server.sql("postgres", LOCKS), "locks")


def settled(run: Run, server: Postgres) -> None:
    """Wait until nothing of a killed run is left: a swap may still be committed.

    First its programs, of which one may just be about to connect; then the sessions.
    """
    _none(lambda: str(len(marked(run.mark, run.before))), "processes")
    _none(lambda: server.sql("postgres", SESSIONS), "sessions")


def noted(project: Project) -> int:
    """How many bytes the part file's journal knows of: sent is not yet arrived."""
    count: dict[int, int] = {}
    for journal in project.local.glob("*.journal"):
        for line in journal.read_text().splitlines():
            with suppress(ValueError):
                known = json.loads(line)
                if "index" in known:
                    count[known["index"]] = int(known.get("arrived", CHUNK))
    return sum(count.values())


def _none(count: Callable[[], str], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while (there := count()) != "0":
        assert time.monotonic() < deadline, f"{there} {what} of a killed run are left"
        time.sleep(0.02)
