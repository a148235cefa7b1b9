"""The removal of a stage: its servers are stopped, its files deleted."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from dbpull.embedded import Server

PREFIX = "dbpull-demo-"
STAND_IN = "stand-in.json"


def server_of(folder: Path) -> Server:
    """The throwaway PostgreSQL of the stage in a folder."""
    return Server(folder / "server", throwaway=True)


def teardown(folder: Path) -> None:
    """Stop the servers of the stage in a folder, and remove the folder.

    Harmless where another process has removed the stage already, or is removing it.
    """
    if (folder / STAND_IN).exists():
        from dbpull.demo.heroku import StandIn

        StandIn.stop_by(folder / STAND_IN)
    server_of(folder).delete()
    shutil.rmtree(folder, ignore_errors=True)


def is_stage(folder: Path) -> bool:
    """Whether a folder is a stage of our user: no other folder is ever removed."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return ours and folder.name.startswith(PREFIX)
