"""A test that hangs fails in time, and leaves no process behind."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from uuid import uuid4

import pytest

import limits
from lacking import LINUX
from silences import until

pytest_plugins = ["pytester"]

HANGING = """
import signal, subprocess, time, pytest

@pytest.fixture(scope="session")
def server():
    with subprocess.Popen(["sleep", "4001"]) as process:
        time.sleep(0.1)  # the kernel counts in hundredths
        yield process
        process.kill()

def test_that_hangs(server):
    script = "sleep 4002 & echo; wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as process:
        process.stdout.readline()  # its child is there
        # Its time is over: pytest-timeout's own timer is this one.
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        process.communicate()

def test_that_comes_after_it(server):
    assert server.poll() is None
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason=LINUX)
@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_test_that_hangs_fails_in_time(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, workers: str
) -> None:
    monkeypatch.setenv("PYTEST_TIMEOUT", "300")
    monkeypatch.setenv("PYTHONPATH", str(Path(limits.__file__).parent))
    # Nobody else's: another run of this test may be under way.
    number = str(10**8 + uuid4().int % 10**8)
    pytester.makepyfile(HANGING.replace("4002", number))
    began = time.monotonic()

    ended = pytester.runpytest_subprocess("-p", "limits", "-n", workers)

    ended.assert_outcomes(passed=1, failed=1)
    ended.stdout.fnmatch_lines("*Timeout (>300.0s)*")
    assert time.monotonic() - began < 60
    until(lambda: not left(number.encode()))


def left(word: bytes) -> list[Path]:
    """The processes with this word on their command lines."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word in (process / "cmdline").read_bytes():
                found.append(process)
    return found
