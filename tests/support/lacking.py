"""What this machine lacks of what tests need, with the package to install.

A test that needs it is skipped, with one of these reasons; `skips` tells of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from functools import cache
from typing import Any

import pytest

PACKAGES = {
    "busybox": "busybox",
    "curl": "curl",
    "fish": "fish",
    "git": "git",
    "lksh": "mksh",
    "mksh": "mksh",
    "pgbouncer": "pgbouncer",
    "ps": "procps",
    "shellcheck": "shellcheck",
    "ssh": "openssh-client",
    "sshd": "openssh-server",
    "tcsh": "tcsh",
}
"""Debian's, by a program of theirs."""
POSTGRES = "no PostgreSQL but the embedded one is installed (apt install postgresql)"
OLD_POSTGRES = "no PostgreSQL before 17 is installed"
NEW_POSTGRES = "PostgreSQL 17 or newer is installed, which reads all archives"
LINUX = "this is not Linux, which tells of processes in /proc"
ROOT = "only root may mount disks and change users"
CLOSED = "the virtual environment is closed to other users"
ALLOWED = (OLD_POSTGRES, NEW_POSTGRES, CLOSED)
"""Reasons that even a strict machine may have: what its distribution offers, and where
the checkout lies, is not for the tests to choose."""
ADMINISTRATORS = "/usr/sbin:/usr/local/sbin:/sbin"


def path_of(program: str) -> str | None:
    """Where a program is, also one for administrators."""
    return shutil.which(program) or shutil.which(program, path=ADMINISTRATORS)


def missing(*programs: str) -> str:
    """Why tests that need these can't run here; empty if they can."""
    for program in programs:
        if not path_of(program):
            package = PACKAGES.get(program, program)
            return f"{program} is not installed (apt install {package})"
    return ""


def need(*programs: str) -> None:
    """Skip the test where one of these is missing."""
    if reason := missing(*programs):
        pytest.skip(reason)


def needs(*programs: str) -> pytest.MarkDecorator:
    """The same as a mark."""
    reason = missing(*programs)
    return pytest.mark.skipif(bool(reason), reason=reason or "all are here")


@cache
def may_mount() -> bool:
    """Whether mounts may be made that nobody else sees."""
    if os.getuid() != 0 or missing("unshare"):
        return False
    mount = ["mount", "-t", "tmpfs", "dbpull-test", tempfile.gettempdir()]
    argv = ["unshare", "--mount", *mount]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def need_mounts() -> None:
    """Skip the test where none can be made."""
    if not may_mount():
        pytest.skip(ROOT)


def or_skipped(names: Iterable[object], reason: str) -> list[Any]:
    """Parameters; where there are none, one whose tests are skipped with a reason."""
    nothing = pytest.param("none", marks=pytest.mark.skip(reason=reason))
    return list(names) or [nothing]
