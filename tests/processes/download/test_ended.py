"""A download that is ended, as a process or by its threads, leaves what it has."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import silences
from dbpull.errors.download import AlreadyRunning, NothingThere
from downloads import CHUNK, CONTENT, SIZE, download, failure, fetch, left, running
from lacking import LINUX
from range_server import RangeServer, Request, after, hang, hang_up, status

# Other processes

CHILD = """
import sys
from pathlib import Path
from dbpull.download import Download
from dbpull.errors import PullError
url, path, chunk = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
def progress(done, total):
    print(done, flush=True)
try:
    with Download(lambda: url, path, chunk=chunk, progress=progress) as coming:
        coming.start()
        print("started", flush=True)
        coming.wait()
except PullError as error:
    print(type(error).__name__, error, flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
status = Path("/proc/self/status")
if status.exists():
    print(*[line for line in status.read_text().splitlines() if "VmHWM" in line])
"""


def start_child(
    server: RangeServer,
    path: Path,
    chunk: int = CHUNK,
    preexec: Callable[[], None] | None = None,
) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url(), str(path), str(chunk)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=preexec,
    )


def until(child: subprocess.Popen[str], received: int) -> int:
    """Read the child's progress until it has so many bytes."""
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip().isdecimal() and int(line) >= received:
            return int(line)
    raise AssertionError("the child ended before")


def answered(server: RangeServer, count: int) -> None:
    """Wait until so many requests are answered, and all 4 connections hang after it."""
    silences.until(lambda: len(server.log) >= count + 4)


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_kill_9_costs_only_the_chunks_in_flight(
    server: RangeServer, path: Path, share: float
) -> None:
    server.pace = 0.05
    with start_child(server, path) as child:
        received = until(child, int(SIZE * share))
        child.kill()
    server.pace = 0
    server.log.clear()

    assert fetch(server, path) == CONTENT
    assert server.sent <= SIZE - received + 4 * CHUNK + 1


def test_ctrl_c_ends_at_once_and_keeps_what_has_arrived(
    server: RangeServer, path: Path
) -> None:
    server.faults = [after(8, hang)]
    with start_child(server, path) as child:
        answered(server, 8)
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=20)

    server.faults = []
    server.log.clear()
    assert "interrupted" in out
    assert left(path) == {"b101.dump.part", "b101.dump.part.journal"}
    assert fetch(server, path) == CONTENT
    assert server.sent < SIZE


def test_a_second_process_is_refused(server: RangeServer, path: Path) -> None:
    server.faults = [after(1, hang)]
    with start_child(server, path) as child:
        answered(server, 1)
        error = failure(server, path)
        child.kill()

    assert isinstance(error, AlreadyRunning)
    assert error.pid == child.pid
    assert f"b101.dump.part is being downloaded by process {child.pid}" in error.what


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason=LINUX)
def test_memory_stays_flat(path: Path) -> None:
    with RangeServer(CONTENT * 60) as server:
        out, _ = start_child(server, path, 8 * 1024 * 1024).communicate(timeout=60)

    *_, name, kilobytes, _unit = out.split()
    assert name == "VmHWM:"
    assert int(kilobytes) < 100_000


def test_a_limit_on_the_size_of_files_is_told(server: RangeServer, path: Path) -> None:
    limit = (SIZE // 2, SIZE // 2)
    child = start_child(
        server,
        path,
        preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    out, _ = child.communicate(timeout=30)

    assert "CannotStore" in out
    assert "files can't be that large" in out


# Threads


@pytest.mark.parametrize("trouble", [hang, hang_up()], ids=["hanging", "pausing"])
def test_leaving_ends_all_threads(
    server: RangeServer, path: Path, trouble: Any
) -> None:
    with download(server, path, connections=4) as coming:
        coming.start()
        server.faults = [trouble]
        server.pace = 1

    assert running() == []


def test_the_first_error_ends_all_threads(server: RangeServer, path: Path) -> None:
    async def the_seventh_fails(request: Request) -> web.StreamResponse | None:
        return await (status(404) if request.number == 7 else hang)(request)

    server.faults = [after(4, the_seventh_fails)]

    assert isinstance(failure(server, path), NothingThere)
    assert running() == []
