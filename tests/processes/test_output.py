"""Programs whose output is read in bytes: as it comes, and never left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dbpull.shell import output
from dbpull.shell.output import ProgramOutput, printed
from silences import gone, until, written

DEAF = "trap '' TERM"
STUBBORN = "while :; do sleep 1; done"


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def sh(script: str) -> list[str]:
    return ["sh", "-c", script]


def all_of(output: ProgramOutput) -> bytes:
    return b"".join(iter(lambda: output.read(65536), b""))


def test_output_comes_in_bytes_as_soon_as_there_are_any(tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = (
        f"printf 'a\\377\\r\\n'; while [ ! -e '{go}' ]; do sleep 0.05; done; echo b"
    )

    with printed(sh(script)) as output:
        first = output.read(100)
        go.touch()
        rest = all_of(output)
        result = output.wait()

    assert (first, rest) == (b"a\xff\r\n", b"b\n")
    assert (result.ok, result.out, result.err) == (True, "", "")


def test_more_than_a_pipe_holds_arrives_whole() -> None:
    script = "import os\nfor n in range(64): os.write(1, bytes([n]) * 262144)"

    with printed(python(script)) as output:
        found = all_of(output)

    assert found == b"".join(bytes([n]) * 262144 for n in range(64))


def test_a_program_that_fails_tells_code_and_last_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(output, "STDERR_ENDS", 60.0)
    loud = "import sys\nfor n in range(9999): print(n, file=sys.stderr)\nsys.exit(3)"

    with printed(python(loud)) as program:
        assert all_of(program) == b""
        result = program.wait()

    assert result.code == 3
    assert result.err.endswith("9997\n9998\n")
    assert len(result.err) < 1000


def test_only_the_environment_given_is_there_and_nothing_can_be_typed() -> None:
    with printed([*sh('/bin/cat; echo "$HOME,$A"')], env={"A": "b"}) as output:
        assert all_of(output) == b",b\n"


def test_the_command_is_echoed_before_it_starts() -> None:
    lines: list[str] = []

    with (
        pytest.raises(FileNotFoundError),
        printed(["no such", "a b"], echo=lines.append),
    ):
        pass

    assert lines == ["'no such' 'a b'"]


def test_a_program_that_ignores_sigterm_and_its_children_end(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = f"{DEAF}; sleep 99 & echo $$ $! >'{pids}'; {STUBBORN}"

    with printed(sh(script)) as output:
        started = written(pids).split()
        waiting = threading.Thread(target=lambda: output.read(1))
        waiting.start()
        output.end()
        waiting.join()
        assert output.read(1) == b""
        assert output.wait().code == -signal.SIGKILL

    until(lambda: all(gone(int(pid)) for pid in started))


def test_what_a_program_has_left_behind_ends_with_the_context(tmp_path: Path) -> None:
    with printed(sh("sleep 99 >&- & echo $!")) as output:
        left = int(all_of(output))
        assert output.wait().ok  # though stderr is still open

    until(lambda: gone(left))


@pytest.mark.parametrize(
    ("first", "then"), [(":", "exec sleep 99"), (DEAF, f"sleep 99 & {STUBBORN}")]
)
def test_a_program_ends_though_we_were_killed(
    first: str, then: str, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    ours = f"""
from dbpull.shell import output
from dbpull.shell.output import printed
with printed(["sh", "-c", {f"{first}; echo $$ >'{pids}'; {then}"!r}]) as output:
    output.read(1)
"""
    run = subprocess.Popen([sys.executable, "-c", ours])
    started = int(written(pids))

    run.kill()
    run.wait()

    until(lambda: gone(started))


def test_a_program_does_not_begin_if_we_are_killed_before_its_heir_knows_it(
    tmp_path: Path,
) -> None:
    begun = tmp_path / "begun"
    ours = f"""
import os
from dbpull.shell import output
def tell(line):
    print(line, flush=True)
    os.kill(os.getpid(), 9)
output.HEIR.tell = tell
with output.printed(["touch", {str(begun)!r}]):
    pass
"""
    run = subprocess.run(
        [sys.executable, "-c", ours], stdout=subprocess.PIPE, check=False
    )

    assert run.returncode == -signal.SIGKILL
    until(lambda: gone(int(run.stdout)))
    assert not begun.exists()


def test_ctrl_c_is_heard_while_nothing_comes(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    ours = f"""
from dbpull.shell import output
from dbpull.shell.output import printed
from dbpull.signals import SIGNALS
with SIGNALS.handled(), printed(["sh", "-c", "echo $$ >'{pids}'; sleep 99"]) as output:
    output.read(1)
"""
    run = subprocess.Popen([sys.executable, "-c", ours], stderr=subprocess.PIPE)
    started = int(written(pids))

    run.send_signal(signal.SIGINT)
    _, err = run.communicate()

    assert b"Stopped" in err
    until(lambda: gone(started))


@pytest.mark.parametrize(
    "script",
    [
        "echo whole; exec >&-; sleep 1000",
        'sleep 1000 & echo whole; until [ -e "$0" ]; do sleep 0.01; done; exit 0',
    ],
    ids=["the program goes on", "its child keeps its stdout"],
)
def test_output_ends_though_something_lingers(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "LINGERS", 0.2)
    read = tmp_path / "read"

    with printed([*sh(script), str(read)]) as program:
        assert program.read(65536) == b"whole\n"
        read.touch()
        assert all_of(program) == b""
        assert program.wait().ok
