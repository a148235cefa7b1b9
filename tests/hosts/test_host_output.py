"""A program on a host whose stdout is read here, byte by byte, while it runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from dbpull.errors.hosts import ConnectionLost
from dbpull.hosts.connect import connect
from dbpull.hosts.connection import connection_to
from dbpull.hosts.host import Host
from dbpull.hosts.output import HostOutput, printed_on
from machines import Machine, introduce
from silences import until

BINARY = bytes(range(256)) * 4096  # 1 MiB, with lines and greetings' letters
PIECE = 10_000


@pytest.fixture
def host(
    devbox: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Host]:
    monkeypatch.setenv("HOME", str(tmp_path))
    introduce(tmp_path, devbox)
    with connect(connection_to("devbox", None, None), print) as host:
        yield host


def all_of(output: HostOutput) -> bytes:
    return b"".join(iter(lambda: output.read(PIECE), b""))


def test_every_byte_comes_and_stderr_beside_it(host: Host, devbox: Machine) -> None:
    (devbox.home / "file").write_bytes(BINARY + b"dbpull:\n" + BINARY)

    with printed_on(
        host, ["sh", "-c", "echo why >&2; cat file; exit 3"], env={}
    ) as output:
        found = all_of(output)
        result = output.wait()

    assert sha256(found).digest() == sha256(BINARY + b"dbpull:\n" + BINARY).digest()
    assert (result.code, result.err) == (3, "why\n")


def test_no_more_comes_at_once_than_is_asked_for(host: Host) -> None:
    with printed_on(host, ["sh", "-c", "echo abc; sleep 600"], env={}) as output:
        assert output.read(2) == b"ab"
        assert output.read(9) == b"c\n"


def test_a_program_that_is_not_there_prints_nothing(host: Host) -> None:
    with printed_on(host, ["nowhere"], env={}) as output:
        assert all_of(output) == b""
        result = output.wait()

    assert result.code == 127
    assert "nowhere" in result.err


def test_a_read_that_waits_returns_when_another_thread_ends_the_program(
    host: Host, devbox: Machine
) -> None:
    found = []
    with printed_on(host, ["sleep", "600"], env={}) as output:
        reader = threading.Thread(target=lambda: found.append(output.read(1)))
        reader.start()
        until(lambda: "sleep 600" in devbox.processes())

        output.end()

        reader.join(20)
        assert found == [b""]
        until(lambda: "sleep 600" not in devbox.processes())


def test_leaving_the_context_ends_the_program(host: Host, devbox: Machine) -> None:
    with printed_on(host, ["cat", "/dev/zero"], env={}) as output:
        assert output.read(1) == b"\0"
        assert "cat /dev/zero" in devbox.processes()

    until(lambda: "cat /dev/zero" not in devbox.processes())


def test_a_lost_connection_is_an_error_and_the_program_ends(
    host: Host, devbox: Machine
) -> None:
    with printed_on(host, ["sh", "-c", "echo a; sleep 600"], env={}) as output:
        assert output.read(1) == b"a"
        devbox.cut()
        all_of(output)
        with pytest.raises(ConnectionLost):
            output.wait()

    devbox.settled()


def test_a_program_that_is_killed_there_has_the_signals_code(
    host: Host, devbox: Machine
) -> None:
    with printed_on(host, ["sh", "-c", "echo a; kill -9 $$"], env={}) as output:
        assert all_of(output) == b"a\n"
        assert output.wait().code == 128 + signal.SIGKILL
