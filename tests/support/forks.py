"""`invoke`, `fab` and `manage.py`, forked and not started: a tenth of the time.

A server that has imported all they need forks itself for each run. What it forks has
the words, folder, variables and files of the run, and from there on all is as ever:
a process with a number, signals, threads and an end of its own. Linux only.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import dbpull

PACKAGE = Path(dbpull.__file__).parent
MODULES = ("invoke", "fabric")
MANAGE = "manage.py"
DJANGO = ("django.core.management", "django.contrib.auth", "psycopg")
FAKES = ("faker", "faker.providers.person.en_US")
LONGEST_REQUEST = 1 << 18
WITHOUT = ("dbpull.demo", "dbpull.django", "dbpull.fab")
"""What needs more than is always installed; and what, once imported, says: `fab`."""
ELSEWHERE = ("PYTHON", "LC_", "LANG")
"""Variables that Python reads when it starts."""


def may_fork(argv: list[str], environment: dict[str, str]) -> bool:
    """Whether these words are run by the same Python, in an environment like ours."""
    told = (k for k, v in environment.items() if v != os.environ.get(k))
    same = not any(name.startswith(ELSEWHERE) for name in told)
    ours = argv[:2] == [sys.executable, "-m"] and argv[2] in MODULES
    django = argv[:2] == [sys.executable, MANAGE]
    return same and (ours or django) and hasattr(os, "pidfd_open")


class Forked:
    """A run's process: what subprocess.Popen offers of one."""

    def __init__(self, argv: list[str], **how: Any) -> None:
        """Begin it; `how` is its `cwd`, `env`, and the paths `out` and `err`."""
        self.returncode: int | None = None
        # In packets: else a number and a code that come together are read as one.
        self._report, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            words = [word for word in argv[1:] if word != "-m"]
            request = json.dumps({"argv": words, **how}).encode()
            socket.send_fds(_server(), [request], [theirs.fileno()])
        self.pid = int(self._report.recv(16))

    def poll(self) -> int | None:
        """Its code, if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def wait(self, timeout: float | None = None) -> int:
        """Its code, once it has ended."""
        if self.returncode is None:
            if not select.select([self._report], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("", timeout or 0)
            self.returncode = int(self._report.recv(16))
            self._report.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, it alone; do nothing where it has ended meanwhile."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


@cache
def _server() -> socket.socket:
    """Requests to the server, which is begun for this process and ends with it."""
    requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )

    def end() -> None:
        requests.close()
        process.wait()

    atexit.register(end)
    return requests


def _serve(requests: socket.socket) -> dict[str, Any]:
    """Fork for each request; it returns in what was forked, with the request."""
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for ready in select.select([requests.fileno(), *running], [], [])[0]:
            if ready in running:
                _report_end(ready, *running.pop(ready))
                continue
            request, files, _, _ = socket.recv_fds(requests, LONGEST_REQUEST, 1)
            if not request:
                os._exit(0)
            report = socket.socket(fileno=files[0])
            if not (pid := os.fork()):
                _close(requests, report, *(there for _, there in running.values()))
                for pidfd in running:
                    os.close(pidfd)
                return dict(json.loads(request))
            report.send(str(pid).encode())
            running[os.pidfd_open(pid)] = pid, report


def _report_end(pidfd: int, pid: int, report: socket.socket) -> None:
    os.close(pidfd)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with contextlib.suppress(OSError), report:  # nobody may ask
        report.send(str(code).encode())


def _close(*sockets: socket.socket) -> None:
    for one in sockets:
        one.close()


def _become(cwd: str, env: dict[str, str], out: str, err: str) -> None:
    """Have the folder, the variables and the files of a run."""
    os.chdir(cwd)
    sys.path[0] = str(Path.cwd())
    os.environ.clear()
    os.environ.update(env)
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.dup2(file, number)
        os.close(file)


def _run() -> None:
    if sys.argv[0] == MANAGE:
        runpy.run_path(MANAGE, run_name="__main__")
    else:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _leave(code: int) -> None:
    """End as Python does, but leave the memory to the kernel.

    To take each module apart is most of a short run's time: it copies what is shared.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def _import_all() -> None:
    """Import what the runs need."""
    for name in MODULES:
        import_module(name)
    for names in (DJANGO, FAKES):
        with contextlib.suppress(ImportError):
            for name in names:
                import_module(name)
    for file in PACKAGE.rglob("*.py"):
        module = ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts)
        if not module.startswith(WITHOUT) and "__main__" not in module:
            import_module(module.removesuffix(".__init__"))


if __name__ == "__main__":
    _import_all()
    gc.freeze()
    wanted = _serve(socket.socket(fileno=int(sys.argv[1])))
    sys.argv = wanted.pop("argv")
    _become(**wanted)
    code = 0
    try:
        _run()
    except SystemExit as ended:
        if not isinstance(ended.code, int):
            raise
        code = ended.code
    _leave(code)
