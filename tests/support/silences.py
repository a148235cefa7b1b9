"""A host's waits, shorter: its silences pass at a test's word, not a clock's."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dbpull.hosts import agent

NEVER = 600
"""Seconds of silence, unless a test has them pass."""
PATIENCE = 20.0
_script = agent.script


def hurried() -> bytes:
    """A host's script that waits three times at most, and a tenth of the time."""
    fewer = re.sub(rb"for _ in 1 2 3[ \d]*", b"for _ in 1 2 3", _script())
    return re.sub(rb"pause 0\.(\d)", rb"pause 0.0\1", fewer)


def until(condition: Callable[[], object], told: Callable[[], object] = str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.01)


def written(path: Path) -> str:
    """The lines that a program writes to a file, once the last has its end."""
    until(lambda: path.exists() and path.read_text().endswith("\n"))
    return path.read_text()


def gone(pid: int) -> bool:
    """Whether it has ended, if perhaps nobody has asked for its code yet."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


def listener_of(agent: int) -> int:
    """What listens for silence: an agent's only child while it waits for a line."""
    until(lambda: len(children(agent)) == 1)
    return children(agent)[0]


def clocks_of(listener: int) -> list[int]:
    """What tells a listener that its silence is over: none before it listens."""
    told = f"sleep\0{NEVER}\0".encode()
    return [pid for pid in children(listener) if _words(pid).endswith(told)]


def pass_silence(listener: int) -> None:
    """Have the time be over for which it listens: its clock is a child that sleeps."""
    until(lambda: clocks_of(listener) or gone(listener))
    passed = clocks_of(listener)
    for clock in passed:
        with suppress(ProcessLookupError):  # it has been ended with its listener
            os.kill(clock, signal.SIGKILL)
    until(lambda: gone(listener) or clocks_of(listener) not in ([], passed))


def pass_all_silence(listener: int) -> None:
    """Have it listen in vain until it gives up."""
    while not gone(listener):
        pass_silence(listener)


def children(pid: int) -> list[int]:
    """Those that live."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [child for child in map(int, found) if not gone(child)]


def _words(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
