"""Tunnels: waited for, watched, and ended with all that they have started."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbpull.errors.live import LiveError
from dbpull.live import tunnel as tunnels
from dbpull.live.tunnel import tunnel
from dbpull.shell import output, piped
from dbpull.shell.output import ProgramOutput
from lacking import LINUX
from silences import gone, until, written

LISTEN = """
import os, signal, socket, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("x" * 100000, flush=True)
open(sys.argv[2], "w").write(f"{os.getpid()}\\n")
while True: listener.accept()[0].sendall(b"hello")
"""
SHORT = 0.3
"""Seconds for who is asked to end, and ignores that."""
LONG = 60.0
"""Seconds for what is soon done, though not at once on a busy machine."""
SET_CHILD_SUBREAPER = 36  # in linux/prctl.h


@pytest.fixture(autouse=True)
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The tunnel's port: nobody else gets it, before, while or after it listens."""
    monkeypatch.setattr(output, "STDERR_ENDS", LONG)
    with socket.socket() as kept:
        # Bound alone, it refuses connections; who has this option too may listen.
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        number = int(kept.getsockname()[1])
        monkeypatch.setattr(tunnels, "_free_port", lambda: number)
        yield number


@pytest.fixture
def listening(tmp_path: Path) -> str:
    """A tunnel: a child of sh that listens, prints much and ignores SIGTERM."""
    script = tmp_path / "listen.py"
    script.write_text(LISTEN)
    return f"{sys.executable} '{script}' {{port}} '{tmp_path / 'pid'}'; echo end"


def test_a_tunnel_is_used_once_it_listens(
    listening: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piped, "GRACE", SHORT)
    slow = f"sleep 0.3; echo $$ >'{tmp_path / 'sh'}'; {listening}"
    with tunnel(slow) as port:
        with socket.create_connection(("127.0.0.1", port), 20) as connected:
            assert connected.recv(5) == b"hello"
        pids = [int(written(tmp_path / name)) for name in ("pid", "sh")]

    until(lambda: all(map(gone, pids)))
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 1).close()


@pytest.fixture
def no_init() -> Iterator[None]:
    """Orphans become this process's children, which are left as they are."""
    if not Path("/proc/self").exists():
        pytest.skip(LINUX)
    prctl = ctypes.CDLL(None).prctl
    prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    yield
    prctl(SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.mark.usefixtures("no_init")
def test_a_tunnel_that_ends_is_not_waited_for_where_no_init_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in many containers."""
    monkeypatch.setattr(piped, "GRACE", LONG)  # killed, sh could not wait for it
    script, told = tmp_path / "listen.py", tmp_path / "pid"
    script.write_text(LISTEN.replace("SIG_IGN", "SIG_DFL"))
    with tunnel(f"{sys.executable} '{script}' {{port}} '{told}'"):
        listener = int(written(told))

    with pytest.raises(ProcessLookupError):
        os.kill(listener, 0)


@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("ssh -N example", r"`ssh -N example` has no \{port\}"),
        ("echo no such bastion >&2; exit 3; : {port}", "was used: no such bastion"),
        ("echo {port} in use", r"was used: \d+ in use"),
        ("echo token=abc >&2; exit 1; : {port}", r"token=\[left out\]"),
    ],
)
def test_a_command_that_is_no_tunnel_is_refused(command: str, what: str) -> None:
    with pytest.raises(LiveError, match=what), tunnel(command):
        pass


def test_a_tunnel_that_does_not_listen_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = tunnels._said

    def once_said(program: ProgramOutput) -> str:
        until(lambda: program.err)
        return said(program)

    monkeypatch.setattr(tunnels, "_said", once_said)
    never = tunnel("echo waiting for a login; exec sleep 99; : {port}", patience=0.1)

    with pytest.raises(LiveError, match=r"listen on .* seconds: waiting"), never:
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_tunnel_ends_with_us(
    listening: str, tmp_path: Path, port: int, number: int
) -> None:
    ours = f"""
from dbpull.live import tunnel
from dbpull.shell import piped
from dbpull.signals import SIGNALS
piped.GRACE = {SHORT}
tunnel._free_port = lambda: {port}
with SIGNALS.handled(), tunnel.tunnel({listening!r}): SIGNALS.pause(99)
"""
    run = subprocess.Popen([sys.executable, "-c", ours], stderr=subprocess.DEVNULL)
    listener = int(written(tmp_path / "pid"))

    run.send_signal(number)
    run.wait(20)

    until(lambda: gone(listener))
