"""What is made once a run, however many processes the tests are shared out among."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

FOLDER = "DBPULL_TESTS_FOLDER"
"""The variable that names the folder which all the processes of a run share."""


def make_shared_folder() -> Callable[[], None]:
    """Make it for a run that begins; what removes it."""
    if FOLDER in os.environ:  # we are one of xdist's processes
        return lambda: None
    folder = Path(tempfile.mkdtemp(prefix="dbpull-test-"))
    folder.chmod(0o755)  # as root, another user makes clusters there
    os.environ[FOLDER] = str(folder)
    return lambda: shutil.rmtree(os.environ.pop(FOLDER))


def shared_folder() -> Path:
    """The folder that all the processes of this run share."""
    return Path(os.environ[FOLDER])


def once(folder: Path, make: Callable[[Path], None]) -> Path:
    """That folder, which whoever comes first makes; the others wait."""
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            half = folder.with_name(f"{folder.name}.half")
            shutil.rmtree(half, ignore_errors=True)
            half.mkdir()
            make(half)
            half.rename(folder)
    return folder
