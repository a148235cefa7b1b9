"""The stand-in's process: it starts, tells no secret, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import pytest

from dbpull.demo import heroku as honest
from dbpull.demo.heroku import config, detached
from dbpull.errors.stand_in import StandInNotStarted
from faulty_stand_in import Config, StandIn, faults
from lacking import need, needs
from stand_ins import Client, account, psql

CHILD = """
import os, sys
from dbpull.demo.heroku import StandIn, config
text = sys.stdin.readline()
stand_in = StandIn.start(config.from_json(text))
print(stand_in.pid, stand_in.folder, flush=True)
sys.stdin.readline()
"""


def soon(true: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    """Zombies, which nobody has waited for yet, are not."""
    need("ps")
    told = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return bool(told.stdout.strip()) and not told.stdout.startswith("Z")


@pytest.fixture
def quick(source: str) -> Config:
    """One that starts without making a dump."""
    return account(source, dump_at_start=False)


def test_stopping_ends_the_process_and_removes_its_folder(quick: Config) -> None:
    with StandIn.start(quick) as stand_in:
        folder = stand_in.folder
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not alive(stand_in.pid)
    assert not folder.exists()
    stand_in.stop()


def test_the_demos_sends_a_dump_whole_and_in_ranges(quick: Config) -> None:
    with honest.StandIn.start(quick) as stand_in:
        client = Client(cast(StandIn, stand_in))
        url = client.url(8)
        whole = client.download(url)
        part = client.download(url, Range="bytes=600000-")
        answer = client.ask("POST", "/stand-in/faults", json=[])
    assert len(whole.content) == int(whole.headers["Content-Length"]) > 600_000
    assert (part.status_code, part.content) == (206, whole.content[600_000:])
    assert answer.status_code == 404


def test_a_folder_of_the_callers_stays(quick: Config, tmp_path: Path) -> None:
    with StandIn.start(replace(quick, folder=str(tmp_path))) as stand_in:
        Client(stand_in).url(8)
    [dump] = tmp_path.glob("*.dump")
    assert dump.stat().st_mode & 0o777 == 0o600


def test_it_ends_with_the_process_that_started_it(quick: Config) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as starter:
        assert starter.stdin
        assert starter.stdout
        starter.stdin.write(config.to_json(quick) + "\n")
        starter.stdin.flush()
        pid, folder = starter.stdout.readline().split()
        assert alive(int(pid))
        starter.send_signal(signal.SIGKILL)
    assert soon(lambda: not alive(int(pid)))
    assert soon(lambda: not Path(folder).exists())


def test_a_detached_one_is_found_and_stopped_by_its_state_file(
    quick: Config, tmp_path: Path
) -> None:
    state = tmp_path / "stand-in.json"
    started = StandIn.start(quick, detach=True, state=state)
    assert state.stat().st_mode & 0o777 == 0o600
    found = StandIn.found(state)
    assert found
    assert found.environment == started.environment
    assert Client(found).get("/apps/demo")["name"] == "demo"
    assert StandIn.stop_by(state)
    assert soon(lambda: not alive(started.pid))
    assert not started.folder.exists()
    assert not state.exists()
    assert not StandIn.stop_by(state)


def test_a_detached_one_outlives_its_starter(quick: Config, tmp_path: Path) -> None:
    state = tmp_path / "stand-in.json"
    child = CHILD.replace(
        ")\nprint", f", detach=True, state=Path({str(state)!r}))\nprint"
    )
    subprocess.run(
        [sys.executable, "-c", f"from pathlib import Path\n{child}"],
        input=config.to_json(quick) + "\n\n",
        capture_output=True,
        text=True,
        check=True,
    )
    found = StandIn.found(state)
    assert found
    assert Client(found).get("/apps/demo")["name"] == "demo"
    assert StandIn.stop_by(state)
    assert soon(lambda: not alive(found.pid))


def test_what_a_killed_one_left_is_removed_by_its_state_file(
    quick: Config, tmp_path: Path
) -> None:
    state = tmp_path / "stand-in.json"
    started = StandIn.start(quick, detach=True, state=state)
    os.kill(started.pid, signal.SIGKILL)
    assert soon(lambda: not alive(started.pid))
    assert started.folder.exists()
    assert not StandIn.stop_by(state)
    assert not started.folder.exists()
    assert not state.exists()


def test_a_stranger_with_the_noted_pid_is_left_alone(
    quick: Config, tmp_path: Path
) -> None:
    state = tmp_path / "stand-in.json"
    with StandIn.start(quick, state=state):
        noted = detached.read(state)
    assert noted
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=-1) as stranger:
        detached.write(state, replace(noted, pid=stranger.pid))
        assert not StandIn.stop_by(state)
        assert stranger.poll() is None


def theirs(pid: int) -> str:
    """The command lines of a process and of what it started: no other program's."""
    need("ps")
    argv = ["ps", "-ww", "-o", "args=", "-p", str(pid), "--ppid", str(pid)]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_each_has_a_token_of_its_own(source: str) -> None:
    assert account(source).token != account(source).token


def test_no_secret_is_on_a_command_line(quick: Config, source: str) -> None:
    with StandIn.start(quick) as stand_in:
        stand_in.misbehave(faults.backup("stay", at=1, rate=10_000))
        client = Client(stand_in)
        begun = client.capture()
        client.wait(begun["num"], lambda told: told["processed_bytes"])
        told = theirs(stand_in.pid)
    assert "--exclude-schema=heroku_ext" in told
    assert "faulty_stand_in" in told
    password = urlsplit(source).password
    assert password
    assert password not in told
    assert stand_in.token not in told


def written(pid: int) -> int:
    """How many bytes a process has written (Linux only)."""
    told = (Path("/proc") / str(pid) / "io").read_text()
    return int(dict(line.split(": ") for line in told.splitlines())["wchar"])


@needs("ps")
def test_stopping_ends_a_capture_under_way(quick: Config, source: str) -> None:
    psql(
        f"{source}_changed",
        "create table digests as select md5(g::text) || md5((-g)::text) as digest"
        " from generate_series(1, 150000) g",
    )
    with StandIn.start(quick) as stand_in:
        stand_in.misbehave(faults.backup("stay", at=1))
        client = Client(stand_in)
        begun = client.capture("postgresql-changed-40404")
        client.wait(begun["num"], lambda told: told["processed_bytes"], "changed")
        argv = ["ps", "-o", "pid=", "--ppid", str(stand_in.pid)]
        pg_dump = int(subprocess.check_output(argv, text=True))
        # It waits in the middle of a write, with asyncio's buffers and the pipe full.
        assert soon(lambda: written(pg_dump) > 2_150_000)
    psql(f"{source}_changed", "drop table digests")
    # One that does not stop by itself is killed in the end.
    assert stand_in._process
    assert stand_in._process.returncode != -signal.SIGKILL
    assert soon(lambda: not alive(pg_dump))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"pg_dump": "/nowhere/pg_dump"}, "/nowhere/pg_dump: No such file"),
        (
            {"apps": (config.AppConfig("a", backups=(config.BackupConfig(),)),)},
            "no database",
        ),
    ],
)
def test_a_start_that_fails_says_why_and_leaves_nothing(
    source: str,
    changes: dict[str, object],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(StandInNotStarted, match=why):
        StandIn.start(account(source, **changes))
    assert not list(tmp_path.iterdir())


def test_ctrl_c_is_its_starters_business(quick: Config) -> None:
    with StandIn.start(quick) as stand_in:
        os.kill(stand_in.pid, signal.SIGINT)
        assert Client(stand_in).get("/apps/demo")["name"] == "demo"
        assert os.getsid(stand_in.pid) != os.getsid(0)
