"""Real programs: started without a shell, listened to, ended with us."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from dbpull.shell import Result, stderr
from dbpull.shell.local import Local
from silences import gone, until

BIG = "0123456789abcdef" * 65536  # 1 MiB: more than a pipe holds


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_words_reach_a_program_as_they_are() -> None:
    words = ["$HOME", "a b", "*", "; rm x", "'\"\\", "", "ü\n"]

    result = Local().run([*python("import sys; print(sys.argv[1:])"), *words])

    assert result.out == f"{words}\n"
    assert (result.code, result.ok, result.err) == (0, True, "")


def test_a_result_has_code_output_and_errors() -> None:
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"

    result = Local().run(python(script))

    assert result == Result((sys.executable, "-c", script), 3, "out\n", "err\n")
    assert not result.ok


def test_a_program_that_a_signal_ended_is_not_ok() -> None:
    result = Local().run(["sh", "-c", "kill -9 $$"])

    assert (result.code, result.ok) == (-9, False)


def test_only_the_environment_given_is_there() -> None:
    script = "import os; print(os.environ.get('HOME'), os.environ['SHOP'])"

    result = Local().run(python(script), env={"SHOP": "s3cret"})

    assert result.out == "None s3cret\n"
    assert "s3cret" not in repr(result).replace(result.out.strip(), "")
    assert "s3cret" not in repr(Local().run(["true"], env={"SHOP": "s3cret"}))


def test_without_an_environment_ours_is_handed_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP", "open")

    assert Local().run(["sh", "-c", "echo $SHOP"]).out == "open\n"


def test_a_program_that_is_not_there_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        Local().run(["no-such-program"])


def test_lines_of_stderr_arrive_while_the_program_runs(tmp_path: Path) -> None:
    go_on = tmp_path / "go-on"
    os.mkfifo(go_on)
    lines = []

    def hear(line: str) -> None:
        lines.append(line)
        if line == "one":
            go_on.write_text("and two")

    # It goes on only after its first line has been heard.
    script = 'echo one >&2; read -r word <"$0"; echo two >&2'
    result = Local().run(["sh", "-c", script, str(go_on)], on_err=hear)

    assert lines == ["one", "two"]
    assert result.err == "one\ntwo\n"


def test_much_input_and_output_do_not_block_each_other() -> None:
    script = """
import sys
sys.stderr.write(sys.argv[1] * 1000000 + chr(10))
text = sys.stdin.read()
sys.stdout.write(text)
sys.stderr.write(text)
"""
    result = Local().run([*python(script), "e"], stdin=BIG)

    assert result.out == BIG
    assert len(result.err) == 1_000_001 + len(BIG)


def test_a_program_that_does_not_read_its_input_is_no_trouble() -> None:
    assert Local().run(["true"], stdin=BIG).ok
    assert Local().run(["head", "-c", "3"], stdin=BIG).out == "012"


def test_what_is_no_utf8_comes_as_it_is_and_is_told_so_that_it_can_be_read() -> None:
    result = Local().run(["sh", "-c", r"printf 'a\377b\n'; printf 'a\377b\n' >&2"])

    # Bytes: what pytest shows of a failure must be UTF-8.
    assert result.out.encode("utf-8", "surrogateescape") == b"a\xffb\n"
    assert result.err == "a\N{REPLACEMENT CHARACTER}b\n"


def test_what_a_listener_raises_ends_the_program_and_its_children() -> None:
    pids = []

    def hear(line: str) -> None:
        pids.append(int(line))
        if len(pids) == 2:
            raise RuntimeError

    # Both would outlive us by far; the child keeps stdout open.
    script = "sleep 60 & echo $! >&2; echo $$ >&2; wait"
    with pytest.raises(RuntimeError):
        Local().run(["sh", "-c", script], stdin=BIG, on_err=hear)

    assert len(pids) == 2
    until(lambda: all(map(gone, pids)))


def test_a_child_is_ended_although_its_parent_has_ended() -> None:
    pids = []

    def hear(line: str) -> None:
        pids.append(int(line))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Local().run(["sh", "-c", "sleep 60 & echo $! >&2"], on_err=hear)

    until(lambda: gone(pids[0]))


def test_what_a_program_leaves_behind_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[str] = []
    # A second passes with each look at the clock, once all that is printed has come.
    passed = count()
    clock = SimpleNamespace(monotonic=lambda: next(passed) if lines else 0)
    monkeypatch.setattr(stderr, "time", clock)

    script = "sleep 60 & printf '%s\\r\\nto its end' $! >&2"
    result = Local().run(["sh", "-c", f"exec 1>&2; {script}"], on_err=lines.append)

    assert result.ok
    assert lines[1:] == ["to its end"]
    os.kill(int(lines[0]), signal.SIGKILL)  # it is still there


def test_what_is_listened_to_ends_with_us_even_by_kill() -> None:
    ours = python(
        "import sys; from dbpull.shell.local import Local;"
        "Local().run(['sh', '-c', 'echo $$ >&2; sleep 60'],"
        " on_err=lambda line: print(line, flush=True))"
    )
    with subprocess.Popen(ours, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        pid = int(process.stdout.readline())
        process.kill()

    until(lambda: gone(pid))


def test_what_ignores_being_asked_to_end_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("dbpull.shell.piped.GRACE", 0.1)
    monkeypatch.setattr("dbpull.shell.piped.GRACE_OF_CHILDREN", 0.1)
    pids = []

    def hear(line: str) -> None:
        pids.append(int(line))
        if len(pids) == 2:
            raise RuntimeError

    stubborn = (
        "trap '' TERM; sh -c 'echo $$ >&2; sleep 60; sleep 60' & echo $$ >&2; wait"
    )
    with pytest.raises(RuntimeError):
        Local().run(["sh", "-c", stubborn], on_err=hear)

    until(lambda: all(map(gone, pids)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_a_real_process_leaves_no_grandchild(number: signal.Signals) -> None:
    script = """
import sys
from dbpull.shell.local import Local
from dbpull.signals import SIGNALS, Stopped
with SIGNALS.handled():
    try:
        Local().run(
            ["sh", "-c", "sleep 60 & echo $! >&2; wait"],
            on_err=lambda line: print(line, flush=True),
        )
    except Stopped:
        print("stopped", flush=True)
"""
    with subprocess.Popen(python(script), stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout
        grandchild = int(started.stdout.readline())
        started.send_signal(number)
        assert started.stdout.readline() == "stopped\n"

    assert started.returncode == 0
    until(lambda: gone(grandchild))


def test_a_terminals_ctrl_c_reaches_us_alone() -> None:
    sid = "import os; print(os.getsid(0) == os.getpid())"

    assert Local().run(python(sid)).out == "True\n"


def test_a_conversation_asks_and_hears() -> None:
    script = (
        "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"
    )

    with Local().open(python(script)) as session:
        assert session.query("a\n") == "A\n"
        assert session.query("b\n") == "B\n"


def test_a_conversation_with_a_program_that_has_ended_is_silent() -> None:
    with Local().open(["sh", "-c", "echo why >&2; exit 1"]) as session:
        assert session.query("a\n") == ""
        assert session.query("b\n") == ""
        assert session.last_words() == "why\n"


def test_leaving_a_conversation_ends_the_program() -> None:
    with Local().open(["sh", "-c", "echo $$; sleep 60"]) as session:
        pid = int(session.query(""))

    until(lambda: gone(pid))


@pytest.mark.parametrize("fed", [True, False])
def test_a_command_that_reads_a_list_is_echoed_as_it_could_be_typed(
    tmp_path: Path, fed: bool
) -> None:
    echoed: list[str] = []
    shell = Local(echoed.append)
    dump = tmp_path / "a dump"
    dump.write_text("rows\n")
    script = 'cat "$2"; [ -p /dev/stdin ] && cat; :'
    argv = ["sh", "-c", script, "sh", "-L"]
    if fed:
        shell._echo_command([*argv, "{listing}"], "7;\n8;\n", str(dump))
    else:
        shell.run([*argv, "/dev/stdin"], stdin="7;\n8;\n")

    typed = subprocess.run(["bash", "-c", echoed[0]], capture_output=True, text=True)
    assert typed.stdout.startswith("7\n8\n")
    assert echoed[0].endswith(f" <'{dump}'") == fed


def test_each_command_is_echoed_as_it_could_be_typed() -> None:
    echoed: list[str] = []
    local = Local(echo=echoed.append)

    local.run(["echo", "a b"], env={"PGPASSWORD": "s3cret"})
    with local.open(["cat"]):
        pass

    assert echoed == ["echo 'a b'", "cat"]
