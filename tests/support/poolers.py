"""A real PgBouncer in front of a server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from lacking import path_of
from targets import Watched


@contextmanager
def pooled(server: Watched, mode: str, *settings: str) -> Iterator[str]:
    """Run a pooler in `mode`: `session`, `transaction`, `statement`; its host:port.

    It lets everybody in, as the server's superuser.
    """
    folder = Path(tempfile.mkdtemp(prefix="dbpull-pooler-"))
    folder.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    try:
        config = folder / "pgbouncer.ini"
        config.write_text(_config(server, mode, port, settings))
        argv = [path_of("pgbouncer") or "", "-q", str(config)]
        if os.getuid() == 0:
            argv[1:1] = ["-u", "nobody"]
        process = subprocess.Popen(argv, stderr=subprocess.PIPE)
        try:
            _wait(port, process)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate()
    finally:
        shutil.rmtree(folder)


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


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the pooler listens."""
    deadline = time.monotonic() + 10
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the pooler does not listen"
        time.sleep(0.02)
