"""The lock on an open file (flock): the kernel releases it even after kill -9.

The file may be renamed or removed during the wait for its lock: check `is_still` next.
"""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path


def lock(fd: int) -> bool:
    """Lock an open file; False where another process has the lock."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EAGAIN, errno.EACCES}:
            return False
        raise
    return True


def unlock(fd: int) -> None:
    """Release the lock of a file that stays open."""
    fcntl.flock(fd, fcntl.LOCK_UN)


def is_still(fd: int, path: Path) -> bool:
    """Whether the path leads to the open file."""
    try:
        return os.path.samestat(os.fstat(fd), path.lstat())
    except FileNotFoundError:
        return False
