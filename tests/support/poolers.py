"""A real PgBouncer in front of a server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from lacking import path_of
from ports import free_port
from targets import Watched

LOG = "log"


@contextmanager
def pooled(server: Watched, mode: str, *settings: str) -> Iterator[str]:
    """Run a pooler in `mode`: `session`, `transaction`, `statement`; its host:port.

    It lets everybody in, as the server's superuser.
    """
    folder = Path(tempfile.mkdtemp(prefix="dbpull-pooler-"))
    folder.chmod(0o755)
    has_it = False
    try:
        while not has_it:
            port = free_port()
            process = _start(folder, _config(server, mode, port, settings))
            try:
                if has_it := _listens(port, process, folder):
                    yield f"127.0.0.1:{port}"
            finally:
                process.terminate()
                process.wait()
    finally:
        shutil.rmtree(folder)


def _start(folder: Path, settings: str) -> subprocess.Popen[bytes]:
    """Start a pooler; what it says goes to a file."""
    config = folder / "pgbouncer.ini"
    config.write_text(settings)
    argv = [path_of("pgbouncer") or "", str(config)]
    if os.getuid() == 0:
        argv[1:1] = ["-u", "nobody"]
    with (folder / LOG).open("wb") as log:
        return subprocess.Popen(argv, stdout=log, stderr=log)


def _config(server: Watched, mode: str, port: int, settings: tuple[str, ...]) -> str:
    url = urlsplit(server.url("x"))
    own = "\n".join(settings)
    return f"""
[databases]
* = host=127.0.0.1 port={url.port} user=postgres password={url.password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
{own}
"""


def _listens(port: int, process: subprocess.Popen[bytes], folder: Path) -> bool:
    """Wait until the pooler says that it listens; False where another has the port."""
    deadline = time.monotonic() + 10
    while True:
        over = process.poll() is not None
        said = (folder / LOG).read_text()
        if f"listening on 127.0.0.1:{port}\n" in said:
            return True
        if over and "Address already in use" in said:
            return False
        assert not over, said
        assert time.monotonic() < deadline, said
        time.sleep(0.02)
