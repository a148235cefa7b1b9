"""Taking a stage down: its servers end, its files go."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from dbpull.embedded import Server

PREFIX = "dbpull-demo-"
STAND_IN = "stand-in.json"


def server_of(folder: Path) -> Server:
    """The throwaway PostgreSQL of the stage in that folder."""
    return Server(folder / "server", throwaway=True)


def strike(folder: Path) -> None:
    """End what runs for the stage in that folder, and remove all of it.

    Harmless where that has been done already, or is being done by another process.
    """
    if (folder / STAND_IN).exists():
        from dbpull.demo.stand_in import StandIn

        StandIn.stop_by(folder / STAND_IN)
    server_of(folder).delete()
    shutil.rmtree(folder, ignore_errors=True)


def is_stage(folder: Path) -> bool:
    """Whether that is a stage of ours: nothing else is ever struck."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return ours and folder.name.startswith(PREFIX)
