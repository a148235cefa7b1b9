"""A detached stand-in: its state file, its recognition, its end.

A pid alone is never enough to end a process: the process must have the instance's
random word on its command line, or in its answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dbpull.demo.heroku import control
from dbpull.errors.stand_in import StandInSilent

PREFIX = "dbpull-stand-in-"


@dataclass(frozen=True)
class DetachedStandIn:
    """The content of a state file: addresses, token and process of a stand-in."""

    pid: int
    instance: str
    api: str
    download: str
    ca: str
    folder: str
    temporary: bool
    token: str = field(repr=False)


def write(path: Path, running: DetachedStandIn) -> None:
    """Write a state file, of mode 0600: it holds the token."""
    path.unlink(missing_ok=True)
    # Path.open takes no opener.
    with open(path, "x", opener=_private) as file:
        json.dump(asdict(running), file)


def read(path: Path) -> DetachedStandIn | None:
    """The stand-in that a state file names; None where none runs."""
    running = _noted(path)
    return running if running and is_ours(running) else None


def clear(path: Path) -> None:
    """Remove an ended stand-in's state file, and a killed stand-in's folder."""
    if running := _noted(path):
        _remove_folder(running)
    path.unlink(missing_ok=True)


def is_ours(running: DetachedStandIn) -> bool:
    """Whether the process with the stand-in's pid is that stand-in, alive."""
    command = _command(running.pid)
    if command is not None:
        return running.instance in command
    try:
        who = control.ask(running.api, running.token, "GET", "", wait=2)
    except (StandInSilent, ValueError):
        return False
    return who == {"instance": running.instance, "pid": running.pid}


def end(running: DetachedStandIn, *, patience: float = 10.0) -> None:
    """Ask a stand-in to stop; after `patience` seconds, end its process."""
    with contextlib.suppress(StandInSilent, ValueError):
        control.ask(running.api, running.token, "POST", "/stop", wait=patience)
    for harder in (signal.SIGTERM, signal.SIGKILL):
        if _until(lambda: not is_ours(running), patience):
            break
        os.kill(running.pid, harder)
    _remove_folder(running)


def _noted(path: Path) -> DetachedStandIn | None:
    try:
        return DetachedStandIn(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _remove_folder(running: DetachedStandIn) -> None:
    if running.temporary and Path(running.folder).name.startswith(PREFIX):
        shutil.rmtree(running.folder, ignore_errors=True)


def _until(true: Callable[[], bool], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _command(pid: int) -> str | None:
    """A process's command line, empty without a process; None without /proc or ps."""
    proc = Path("/proc")
    if (proc / "self" / "cmdline").exists():
        with contextlib.suppress(OSError):
            return (proc / str(pid) / "cmdline").read_text(errors="replace")
        return ""
    try:
        told = subprocess.run(
            ["ps", "-o", "args=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return told.stdout


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
