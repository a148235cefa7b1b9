"""The demo's stage: up as promised, and gone however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from dbpull.demo import stage
from dbpull.demo.stage import Stage
from dbpull.demo.teardown import PREFIX
from dbpull.embedded import postmaster

ROOT = Path(__file__).parents[2]
SCALE = 0.01
PATIENCE = 60.0


@pytest.fixture(scope="module")
def up() -> Iterator[Stage]:
    with Stage(lambda _: None, scale=SCALE) as up:
        was = traces(up)
        yield up
    assert was.left() == []


@dataclass
class Traces:
    """What a stage consists of."""

    folder: str
    data: str
    sockets: str
    server: int
    stand_in: int

    def left(self) -> list[object]:
        """What of it is there."""
        paths: list[object] = [self.folder, self.data, self.sockets]
        left = [path for path in paths if Path(str(path)).exists()]
        return left + [pid for pid in (self.server, self.stand_in) if lives(pid)]

    def vanish(self) -> bool:
        """Whether all of it goes."""
        deadline = time.monotonic() + PATIENCE
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.05)
        return not self.left()


def lives(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


def traces(up: Stage) -> Traces:
    found = postmaster.find(up.server.data)
    assert found
    sockets = up.server.url().split("host=")[1].split("&")[0]
    return Traces(
        str(up.folder), str(up.server.data), sockets, found.pid, up.stand_in.pid
    )


ANOTHER = """
import json, sys, time
from dataclasses import asdict
from pathlib import Path
sys.path.insert(0, {tests!r})
from dbpull.demo.stage import Stage
from test_stage import traces
with Stage(lambda line: print(line, flush=True), scale={scale}) as up:
    print(json.dumps(asdict(traces(up))), flush=True)
    up.run("db.backups")
    time.sleep(600)
"""


def another() -> subprocess.Popen[str]:
    """A process of its own that puts up a stage, and tells when it stands."""
    script = ANOTHER.format(tests=str(Path(__file__).parent), scale=SCALE)
    return subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> IO[str]:
    assert process.stdout
    return process.stdout


def first_json(lines: IO[str]) -> Traces:
    return Traces(**json.loads(next(line for line in lines if line.startswith("{"))))


def ask(up: Stage, sql: str, dbname: str = stage.TARGET) -> str:
    psql = [str(up.server.programs / "psql"), "-XAtc", sql, up.server.url(dbname)]
    return subprocess.run(psql, check=True, capture_output=True, text=True).stdout[:-1]


def test_its_project_is_what_a_user_copies(up: Stage) -> None:
    assert (up.folder / "tasks.py").read_text() == (ROOT / "tasks.py").read_text()


def test_only_its_owner_can_look_into_it(up: Stage) -> None:
    assert up.folder.stat().st_mode & 0o077 == 0
    assert (up.folder / ".env").stat().st_mode & 0o077 == 0


def test_the_environment_is_in_the_project_too(up: Stage) -> None:
    lines = (up.folder / ".env").read_text().splitlines()

    assert dict(line.split("=", 1) for line in lines) == up.environment


def test_the_user_s_own_settings_play_no_part(
    up: Stage, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HEROKU_APP", "of-the-user")
    monkeypatch.setenv("HEROKU_API_KEY", "of-the-user")
    monkeypatch.setenv("INVOKE_DB_TARGET", "postgres://localhost/of-the-user")
    monkeypatch.setenv("DATABASE_URL", "postgres://localhost/of-the-user")

    assert up.run("db.backups") == 0
    assert "b101" in capfd.readouterr().err


def test_a_masked_pull_replaces_the_developer_s_database(up: Stage) -> None:
    assert ask(up, "SELECT to_regclass('experiments')") == "experiments"

    code = up.run("db.pull", "--app=staging", "--delete")

    assert code == 0
    assert ask(up, "SELECT to_regclass('experiments')") == ""
    assert ask(up, "SELECT count(*) FROM orders") == ask(
        up, "SELECT count(*) FROM orders", "shop-staging-eu"
    )
    emails = "SELECT DISTINCT email ~ '^u[0-9a-f]{16}@' FROM customers"
    assert ask(up, emails) == "t"
    assert ask(up, emails, "shop-staging-eu") == "f"


def test_a_column_that_nobody_has_decided_about_stops_a_pull_on_it(
    up: Stage, capfd: pytest.CaptureFixture[str]
) -> None:
    kept = up.folder / "kept-columns.txt"
    decided = kept.read_text()
    kept.write_text(decided.replace("public.products.tags  text[]\n", ""))

    assert up.run("db.pull", "--app=staging") == 1

    kept.write_text(decided)
    told = "Nothing says whether 1 column is personal: products.tags (text[])"
    assert told in capfd.readouterr().err


def test_an_error_while_it_is_put_up_leaves_nothing() -> None:
    lines = []

    def say(line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            raise KeyboardInterrupt

    up = Stage(say, scale=SCALE)
    with pytest.raises(KeyboardInterrupt):
        up.__enter__()

    assert not up.folder.exists()
    assert not up.server.data.exists()
    assert not up.server.running


# The first is an error in Python, which leaves the context; the other is the watcher's.
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_signal_that_ends_the_demo_leaves_nothing(number: signal.Signals) -> None:
    with another() as demo:
        was = first_json(told(demo))
        assert was.left()

        demo.send_signal(number)

    assert demo.returncode != 0
    assert was.vanish()


@pytest.mark.parametrize("lines", [1, 3])
def test_killing_it_while_it_is_put_up_leaves_nothing(
    lines: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="dbpull-test-"))
    monkeypatch.setenv("TMPDIR", str(folder))
    with another() as demo:
        for _ in range(lines):
            told(demo).readline()
        time.sleep(0.2)
        demo.kill()

    deadline = time.monotonic() + PATIENCE
    while list(folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert list(folder.iterdir()) == []
    folder.rmdir()


def test_a_folder_that_is_no_stage_is_never_struck(tmp_path: Path) -> None:
    state = tmp_path / "demo.json"
    other = tmp_path / "work"
    other.mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(other)

    for folder in (other, tmp_path / f"{PREFIX}link", tmp_path / "gone"):
        state.write_text(json.dumps({"folder": str(folder)}))
        assert not stage.stop(state)

    assert other.is_dir()


def test_ctrl_c_is_left_to_what_runs_first(up: Stage) -> None:
    (up.folder / "slow.py").write_text(
        "import time\n"
        "from invoke.tasks import task\n"
        "@task\n"
        "def wait(c):\n"
        "    try:\n"
        "        print('waiting', flush=True); time.sleep(600)\n"
        "    finally:\n"
        "        open('in-order', 'w').close()\n"
    )
    script = (
        "import sys; from pathlib import Path; from dbpull.demo.stage import Stage\n"
        "class Quiet:\n"
        "    tell = staticmethod(lambda line: None)\n"
        "up = Stage(print); up.folder = Path(sys.argv[1]); up._watcher = Quiet()\n"
        "Stage.environment = {}\n"
        "up.run('-c', 'slow', 'wait')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(up.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        assert told(process).readline() == "waiting\n"
        os.killpg(process.pid, signal.SIGINT)

    assert process.returncode == -signal.SIGINT
    assert (up.folder / "in-order").exists()
