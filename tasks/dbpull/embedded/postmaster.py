"""The process of a running server, found by its pid file and its command line.

The shape of postmaster.pid is PostgreSQL's (src/include/utils/pidfile.h): pid, data
folder, start time, port, socket folder, address, shared memory, status.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dbpull.embedded.account import Account
from dbpull.errors.embedded import EmbeddedError, NotOurs, NotStarted
from dbpull.native import native

PAUSE = 0.02
GRACE = 10.0
SHOWN = 6
_started: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Postmaster:
    """A server's first process; `ready` once the server answers."""

    pid: int
    data: str
    port: int
    address: str
    """The first address of TCP at which it listens; "" for a socket alone."""
    ready: bool

    @property
    def alive(self) -> bool:
        """Whether the same process still runs."""
        return _serves(self.pid, self.data)


def find(data: Path) -> Postmaster | None:
    """The server that runs on a data folder, or None.

    A pid file left by a crash does not count, even where its pid is now another
    process's. Raises NotOurs where we may not read the folder.
    """
    lines = _pid_file(data)
    if not lines[0].isdigit() or not _serves(int(lines[0]), lines[1]):
        return None
    port = int(lines[3]) if lines[3].isdigit() else 0
    ready = lines[7].strip() == "ready"
    return Postmaster(int(lines[0]), lines[1], port, lines[5].strip(), ready)


def launch(
    command: Sequence[str], account: Account, log: Path
) -> subprocess.Popen[bytes]:
    """Start a server that outlives this process; its log begins anew, private to us."""
    log.unlink(missing_ok=True)
    private = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(private, "wb") as file:
        process = account.start(command, file)
    _started[process.pid] = process
    return process


def wait_for(
    data: Path,
    log: Path,
    patience: float,
    process: subprocess.Popen[bytes] | None = None,
) -> None:
    """Wait until the server answers; after a crash it first repairs its data.

    Raises NotStarted, with the log's last lines, where the server ends (as `process`
    or its pid file shows) or `patience` seconds have passed.
    """
    deadline = time.monotonic() + patience
    while not ((found := find(data)) and found.ready):
        if (process.poll() is not None) if process else found is None:
            raise NotStarted(last_lines(log), "ended while starting")
        if time.monotonic() > deadline:
            raise NotStarted(last_lines(log), f"gave no answer in {patience:.0f} s")
        time.sleep(PAUSE)


def abandon(process: subprocess.Popen[bytes]) -> None:
    """End the process of a server that did not start."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
            break
    _started.pop(process.pid, None)


def last_lines(log: Path) -> list[str]:
    """The last lines of a server's log."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return text.splitlines()[-SHOWN:]


def forget_crashed(data: Path) -> None:
    """Remove a pid file left by a crash.

    PostgreSQL would refuse to start where the pid is now another process's.
    """
    if find(data) is None:
        (data / "postmaster.pid").unlink(missing_ok=True)


def _pid_file(data: Path) -> list[str]:
    """The pid file's eight lines; empty lines where it is shorter or missing."""
    try:
        text = (data / "postmaster.pid").read_text("utf-8", "surrogateescape")
    except (FileNotFoundError, NotADirectoryError):
        text = ""
    except PermissionError:
        raise NotOurs(data) from None
    return [*text.splitlines(), *[""] * 8][:8]


def _serves(pid: int, data: str) -> bool:
    """Whether a process is alive and was started on a data folder."""
    serves = bool(data) and _names(pid, data)
    if not serves:
        _bury(pid)
    return serves


def _bury(pid: int) -> None:
    """Wait for a child's end; else the child stays a zombie while this process lives.

    A stale pid file may also name a healthy child of ours: another server.
    """
    if child := _started.get(pid):
        with suppress(subprocess.TimeoutExpired):
            child.wait(1)
            del _started[pid]


def _names(pid: int, data: str) -> bool:
    """Whether a process's command line has the data folder; a zombie's is empty."""
    if Path("/proc/self/cmdline").exists():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return native(data) in words
    ps = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
    listed = subprocess.run(ps, check=False, capture_output=True)
    return native(data) in listed.stdout


def stop(data: Path, patience: float) -> None:
    """End a server: by a fast shutdown (cuts connections, loses nothing), then kill it.

    Each gets `patience` seconds; raises EmbeddedError.
    """
    if (server := find(data)) is None:
        return
    for number in (signal.SIGINT, signal.SIGQUIT):
        with suppress(ProcessLookupError):
            os.kill(server.pid, number)
        if _gone(server, patience):
            return
    pid, seconds = server.pid, 2 * patience
    raise EmbeddedError(
        f"The embedded server (process {pid}) did not stop within {seconds:.0f} s.",
        f"Look at what it is doing; `kill -QUIT {pid}` ends it at once.",
    )


def _gone(server: Postmaster, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while server.alive:
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True
