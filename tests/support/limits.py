"""A test that runs out of time takes with it what it has started.

pytest-timeout raises an error in the test. Without this, a `with Popen(…)` would go on
to wait for its program, and programs of those programs would live on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

_began = [0.0]
"""When the test did, or its fixtures: those of the whole session are to stay."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    _began[0] = _now()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    _began[0] = _now()


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item) -> Generator[None, Any, Any]:
    started = yield
    tell = signal.getsignal(signal.SIGALRM)

    def expire(number: int, frame: Any) -> None:
        end_what_began_since(_began[0])
        if callable(tell):
            tell(number, frame)

    if callable(tell):
        signal.signal(signal.SIGALRM, expire)
    return started


def end_what_began_since(moment: float) -> None:
    """Kill the processes below this one that are younger (Linux only)."""
    for pid in _below(os.getpid()):
        with contextlib.suppress(OSError):  # it has ended
            started = int(_fields(pid)[19]) / os.sysconf("SC_CLK_TCK")
            if started >= moment - 0.01:  # it is counted in hundredths
                os.kill(pid, signal.SIGKILL)


def _now() -> float:
    """In seconds since the machine was started, as the kernel tells of processes."""
    boot = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(boot)


def _below(pid: int) -> list[int]:
    """Its children, theirs, and so on."""
    parents = {int(one.name): _parent(one.name) for one in Path("/proc").glob("[0-9]*")}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def _parent(pid: str) -> int:
    try:
        return int(_fields(int(pid))[1])
    except OSError:
        return 0  # it has ended


def _fields(pid: int) -> list[str]:
    """What /proc tells of it, from its state on; its name may hold blanks."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
