"""Programs on a real machine over SSH: what they get, what they say, how they end."""

from __future__ import annotations

import io
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from databases import FOLDERS, Postgres
from dbpull.errors.hosts import (
    ConnectionLost,
    HostRefused,
    RemoteError,
    UnusableHost,
)
from dbpull.hosts import agent
from dbpull.hosts.channel import Channel
from dbpull.hosts.connect import connect
from dbpull.hosts.host import Host
from dbpull.hosts.sessions import AHEAD
from machines import Machine, introduce, machine
from silences import NEVER, hurried, listener_of, pass_all_silence, pass_silence, until

MSG_CHANNEL_DATA, MSG_CHANNEL_EOF = 94, 96  # RFC 4254, 9
Maker = Callable[..., Machine]
Reach = Callable[[Machine], AbstractContextManager[Host]]
BIG = "0123456789abcdef" * 65536  # 1 MiB
WORDS = [
    "", " a  b ", "'", '"', "$HOME `id` $(id)", "*", "\\n\\", "\\\\'", "a\nb\n", "ü€🐘",
    "-n", "--", "!x!", "~", "#", "%d", "\x1f\x1e", "{a,b}", "(", ";&|<>",
]  # fmt: skip
SHOW = 'printf "%s|" "$ONE" "$TWO"; for w; do printf "<%s>" "$w"; done'
STUBBORN = (
    "trap '' TERM; sh -c 'echo child >&2; sleep 600; sleep 600' & echo one >&2;"
    " wait; wait"
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Machine]:
    with machine(programs=next(iter(FOLDERS.values()), None)) as made:
        yield made


@pytest.fixture
def box(shared: Machine) -> Iterator[Machine]:
    yield shared
    shared.renew()


@pytest.fixture
def make() -> Iterator[Maker]:
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(machine(**options))


@pytest.fixture
def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reach:
    """Work on a machine as `fab -H` does."""
    fabric = pytest.importorskip("fabric")
    monkeypatch.setenv("HOME", str(tmp_path))

    @contextmanager
    def reaching(to: Machine) -> Iterator[Host]:
        introduce(tmp_path, to)
        with connect(fabric.Connection(to.name), print) as remote:
            yield remote

    return reaching


@pytest.fixture(autouse=True)
def brief_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have hosts wait less for programs that they have asked to end."""
    monkeypatch.setattr(agent, "script", hurried)


@pytest.fixture
def remote(reach: Reach, box: Machine) -> Iterator[Host]:
    with reach(box) as remote:
        yield remote


@pytest.fixture
def fall_silent(box: Machine, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have the machine fall silent, for which the laptop waits a second or two.

    Until then none takes the other for lost, however long it waits for a processor.
    """
    monkeypatch.setattr(agent, "BEAT", 0.2)
    monkeypatch.setattr(agent, "SILENCE", NEVER)
    waits, line = [], Channel.line

    def noted(channel: Channel, *, seconds: float | None = None) -> bytes:
        waits.append(seconds)
        return line(channel, seconds=seconds)

    monkeypatch.setattr(Channel, "line", noted)

    def fall() -> None:
        monkeypatch.setattr(agent, "SILENCE", 1)
        until(lambda: agent.BEAT + agent.SILENCE in waits)
        box.freeze()

    return fall


def listener(remote: Host) -> int:
    """What listens on the host for the laptop's silence."""
    return listener_of(int((Path(remote.folder) / "keeper").read_text()))


def home(on: Machine) -> Path:
    return Path(on.options.environment.get("HOME", on.home))


def runs(on: Machine) -> list[Path]:
    return list((home(on) / ".dbpull").glob("run.*"))


def nothing_left(on: Machine) -> None:
    on.settled()
    assert runs(on) == []


def loses(reach: Reach, on: Machine, work: Callable[[Host], object]) -> None:
    """Work on it until its connection is lost."""

    def whole() -> None:
        with reach(on) as remote:
            work(remote)

    with pytest.raises(ConnectionLost):
        whole()


def by_a_thread(work: Callable[[], object]) -> list[Any]:
    """What it returned or raised, once it has."""
    found: list[Any] = []

    def keep() -> None:
        try:
            found.append(work())
        except Exception as error:  # noqa: BLE001 - for the test to look at
            found.append(error)

    threading.Thread(target=keep, daemon=True).start()
    return found


def test_the_host_is_told_about_and_its_folder_goes_with_the_run(
    reach: Reach, box: Machine
) -> None:
    with reach(box) as remote:
        assert (remote.host, remote.where) == (box.name, box.name)
        assert (remote.login, remote.home) == (box.user, str(box.home))
        assert remote.cores == os.sysconf("SC_NPROCESSORS_ONLN")
        assert remote.has_curl
        assert runs(box) == [Path(remote.folder)]
        assert Path(remote.folder).stat().st_mode & 0o777 == 0o700
    nothing_left(box)
    until(lambda: not box.connections())


def test_a_result_has_code_output_and_errors(remote: Host) -> None:
    result = remote.run(["sh", "-c", "echo out; echo err >&2; exit 3"])

    assert (result.code, result.out, result.err) == (3, "out\n", "err\n")
    assert remote.run(["true"]).ok
    assert remote.run(["no-such-program"]).code == 127


def test_a_program_that_a_signal_ended_has_its_number(remote: Host) -> None:
    assert remote.run(["sh", "-c", "kill -9 $$"]).code == -9
    assert remote.run(["sh", "-c", "kill -TERM $$"]).code == -15


@pytest.mark.parametrize("shell", ["", "dash", "bash", "fish", "tcsh", "mksh"])
def test_words_and_variables_reach_a_program_as_they_are(
    make: Maker, reach: Reach, shell: str
) -> None:
    """Whatever login scripts say."""
    on = make(login_shell=shell)
    say = "echo welcome; echo beware >/dev/stderr; printf 'no end'\n"
    for name in (".bashrc", ".tcshrc", ".config/fish/config.fish"):
        (on.home / name).parent.mkdir(parents=True, exist_ok=True)
        (on.home / name).write_text(say)
    with reach(on) as remote:
        result = remote.run(
            ["sh", "-c", SHOW, "sh", *WORDS], env={"ONE": "".join(WORDS), "TWO": ""}
        )
        assert result.out == f"{''.join(WORDS)}||" + "".join(f"<{w}>" for w in WORDS)
        assert remote.run(["cat"], stdin="a\nb").out == "a\nb"
        text = "\n".join([*WORDS, "%n%%p!e%e", ""])
        assert remote.run(["printf", "%s", text], stdin=text).out == text
        result = remote.run(["sh", "-c", "echo out; echo err >&2; exit 7"])
        assert (result.code, result.out, result.err) == (7, "out\n", "err\n")
        with remote.open(["cat"]) as conversation:
            assert conversation.query("a\n") == "a\n"
    nothing_left(on)


def test_much_goes_in_and_comes_out(remote: Host) -> None:
    script = "tee /dev/stderr; cat /dev/zero | head -c 1000000"
    result = remote.run(["sh", "-c", script], stdin=BIG)

    assert result.out == BIG + "\0" * 1_000_000
    assert result.err == BIG
    assert remote.run(["true"], stdin=BIG).ok
    assert remote.run(["head", "-c", "3"], stdin=BIG).out == "012"


def test_many_lines_come_out(remote: Host) -> None:
    heard: list[str] = []

    result = remote.run(["sh", "-c", "seq 50000 >&2"], on_err=heard.append)

    assert heard == [str(number) for number in range(1, 50_001)]
    assert len(result.err) == sum(len(line) + 1 for line in heard)


def test_bytes_are_exchanged_as_they_are(remote: Host) -> None:
    content = os.urandom(300_000)

    assert remote.exchange(["cat"], stdin=content) == (0, content, b"")
    assert remote.run(["printf", r"a\377b"]).out == "a\N{REPLACEMENT CHARACTER}b"


def test_lines_of_stderr_arrive_while_the_program_runs(
    remote: Host, tmp_path: Path
) -> None:
    go_on, lines = tmp_path / "go-on", []
    os.mkfifo(go_on)

    def hear(line: str) -> None:
        lines.append(line)
        if line == "one":
            go_on.write_text("and two\n")

    script = 'echo one >&2; read -r word <"$0"; echo two >&2'
    remote.run(["sh", "-c", script, str(go_on)], on_err=hear)

    assert lines == ["one", "two"]


@pytest.mark.parametrize("script", [STUBBORN, "sleep 600 & echo child >&2"])
def test_what_a_listener_raises_ends_the_program_and_its_children(
    remote: Host, box: Machine, script: str
) -> None:
    def hear(line: str) -> None:
        if line == "child":
            raise RuntimeError

    with pytest.raises(RuntimeError):
        remote.run(["sh", "-c", script], stdin=BIG, on_err=hear)

    until(lambda: not [p for p in box.processes() if "sleep 600" in p], box.processes)
    assert remote.run(["echo", "still"]).out == "still\n"


def test_a_conversation_asks_hears_and_ends(remote: Host, box: Machine) -> None:
    script = 'while read -r word; do echo "<$word>"; done; echo bye >&2; exit 1'
    with remote.open(["sh", "-c", script], env={"A": "b"}) as conversation:
        assert conversation.query("a b\n") == "<a b>\n"
        assert conversation.query("$x\n") == "<$x>\n"
        assert conversation.last_words() == "bye\n"
        assert conversation.query("c\n") == ""
    with remote.open(["sh", "-c", STUBBORN.replace("echo one >&2", "echo one")]) as it:
        assert it.query("") == "one\n"
    until(lambda: "sleep 600" not in box.processes(), box.processes)


def test_programs_run_by_two_threads_at_once(remote: Host, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    os.mkfifo(one)
    os.mkfifo(other)
    # Each waits for the other.
    talk = 'echo x >"$0"; read -r word <"$1"; cat; echo "$word"'
    back = 'read -r word <"$0"; echo y >"$1"; cat; echo "$word"'

    def run(script: str) -> list[Any]:
        argv = ["sh", "-c", script, str(one), str(other)]
        return by_a_thread(lambda: remote.run(argv, stdin=BIG).out)

    first, second = run(talk), run(back)

    until(lambda: first and second)
    assert first == [f"{BIG}y\n"]
    assert second == [f"{BIG}x\n"]


def test_files_are_found_and_measured(remote: Host, box: Machine) -> None:
    path = box.home / "a 'new' file!"
    assert not remote.exists(str(path))
    path.touch()

    assert remote.exists(str(path))
    free = remote.free(str(box.home / "none/there"))
    assert free == pytest.approx(os.statvfs(box.home).f_bavail * 4096, rel=0.1)


def test_programs_are_found_path_first(remote: Host, box: Machine) -> None:
    for number in ("15", "16"):
        (box.home / f"pg/{number}").mkdir(parents=True)
        (box.home / f"pg/{number}/cat").touch(mode=0o755)
    there = [str(box.home / f"pg/{number}/cat") for number in ("16", "15")]

    found = remote.find("cat", [f"{box.home}/pg/*"])

    assert found[0] == (str(box.bin / "cat"), str((box.bin / "cat").resolve()))
    assert found[1:] == [(path, path) for path in there]
    assert remote.find("none", [f"{box.home}/pg/*"]) == []


def test_a_password_is_in_a_file_for_libpq_and_nowhere_else(
    remote: Host, box: Machine, postgres_18: Postgres, tmp_path: Path
) -> None:
    secret = r"h\u:sh 'ü"
    env = {"PGPASSWORD": secret, "PGUSER": "someone"}
    script = (
        'echo "${PGPASSWORD-none}"; cat "$PGPASSFILE"; stat -c %a "$PGPASSFILE";'
        ' echo there >&2; until [ -e "$0" ]; do sleep "${0##*/}"; done'
    )
    with box.watch_processes([secret.encode(), rb"h\\u\:sh"]) as watch:

        def shown(seconds: str, env: dict[str, str]) -> str:
            """What it says; it ends once it has been seen."""
            seen = tmp_path / seconds

            def hear(_line: str) -> None:
                until(lambda: f"sleep {seconds}" in watch.seen)
                seen.touch()

            return remote.run(["sh", "-c", script, str(seen)], env=env, on_err=hear).out

        result, again = shown("0.3", env), shown("0.31", env)
        other = shown("0.32", {"PGPASSWORD": "other"})

    escaped = secret.replace("\\", "\\\\").replace(":", "\\:")
    assert result == again == f"none\n*:*:*:*:{escaped}\n600\n"
    assert other == "none\n*:*:*:*:other\n600\n"
    assert watch.found == set()


def test_a_password_is_not_lost_among_threads(remote: Host) -> None:
    def ask(secret: str) -> list[Any]:
        argv = ["sh", "-c", 'cat "$PGPASSFILE"']
        return by_a_thread(lambda: remote.run(argv, env={"PGPASSWORD": secret}).out)

    asked = {secret: ask(secret) for secret in "abcabc"}

    until(lambda: all(asked.values()))
    for secret, told in asked.items():
        assert told == [f"*:*:*:*:{secret}\n"]


def test_a_cut_connection_is_lost_and_nothing_is_left(
    reach: Reach, box: Machine
) -> None:
    def hear(line: str) -> None:
        if line == "child":
            box.cut()

    loses(reach, box, lambda it: it.run(["sh", "-c", STUBBORN], on_err=hear))

    nothing_left(box)


def test_a_conversation_that_is_cut_is_lost(reach: Reach, box: Machine) -> None:
    def work(remote: Host) -> None:
        with remote.open(["cat"]) as conversation:
            assert conversation.query("a\n") == "a\n"
            box.cut()
            conversation.query("b\n")

    loses(reach, box, work)

    nothing_left(box)


def test_on_a_lost_connection_no_more_programs_are_begun(
    reach: Reach, box: Machine
) -> None:
    with reach(box) as remote:
        box.cut()
        for _ in range(2):
            with pytest.raises(ConnectionLost):
                remote.run(["true"])

    nothing_left(box)


def test_what_is_sent_to_a_program_that_has_ended_ends_no_connection(
    remote: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """sshd ends one on which a session is spoken to that has been closed."""
    paramiko = pytest.importorskip("paramiko")
    send = paramiko.Transport._send_user_message

    def late(transport: Any, message: Any) -> None:
        if message.asbytes()[0] in (MSG_CHANNEL_DATA, MSG_CHANNEL_EOF):
            time.sleep(0.1)
        send(transport, message)

    def is_alive() -> bool:
        time.sleep(0.2)  # all has been sent by then
        return remote.run(["true"]).ok

    monkeypatch.setattr(paramiko.Transport, "_send_user_message", late)

    assert remote.run(["true"]).ok
    assert is_alive()
    assert remote.run(["true"], stdin="unread").ok
    assert is_alive()
    with remote.open(["true"]) as conversation:
        assert conversation.query("unread\n") == ""
    assert is_alive()


def _send(remote: Host) -> None:
    remote.sftp()


def test_a_connection_that_ends_while_a_session_is_asked_is_lost(
    reach: Reach, box: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """paramiko has looked by then, and waits for an answer without end."""
    paramiko = pytest.importorskip("paramiko")
    waits = paramiko.Channel._event_pending

    def end_and_wait(channel: Any) -> None:
        channel.get_transport().close()
        waits(channel)

    with reach(box) as remote:
        monkeypatch.setattr(paramiko.Channel, "_event_pending", end_and_wait)
        with pytest.raises(ConnectionLost):
            _send(remote)
    nothing_left(box)


@pytest.mark.parametrize("lost", [True, False])
def test_a_will_is_carried_out_where_the_connection_is_lost(
    reach: Reach, make: Maker, tmp_path: Path, lost: bool
) -> None:
    home, done = tmp_path / "its ho'me", tmp_path / "it's done!\\"
    home.mkdir()
    box = make(environment={"HOME": str(home)})
    script = 'cat >"$0"; echo "$WHO" >>"$0"; cat "$PGPASSFILE" >>"$0"'
    env = {"WHO": "me\n!", "PGPASSWORD": "hush"}

    def work(remote: Host) -> None:
        argv = ["sh", "-c", script, str(done)]
        with remote.on_disconnect(argv, env=env, stdin="said\n"):
            assert remote.run(["true"]).ok  # what begins later finds it there
            assert not done.exists()
            if lost:
                box.cut()
                remote.run(["true"])

    if lost:
        loses(reach, box, work)
    else:
        with reach(box) as remote:
            work(remote)
            assert remote.run(["true"]).ok

    nothing_left(box)
    told = done.read_text() if done.exists() else ""
    assert told == ("said\nme\n!\n*:*:*:*:hush\n" if lost else "")


def test_a_will_that_was_cut_off_is_not_carried_out(
    reach: Reach, box: Machine, tmp_path: Path
) -> None:
    with reach(box) as remote:
        with remote.on_disconnect(["touch", str(tmp_path / "done")]):
            folder = Path(remote.folder)
            until(lambda: [*folder.glob("on_disconnect.*")])
            [file] = folder.glob("on_disconnect.*")
            whole = file.read_text()
        cut, mark, _ = whole.partition("done")
        (Path(remote.folder) / "on_disconnect.0").write_text(cut + mark)

    nothing_left(box)
    assert not (tmp_path / "done").exists()


def test_a_silent_host_is_lost_and_cleans_up_by_itself(
    reach: Reach, box: Machine, tmp_path: Path, fall_silent: Callable[[], None]
) -> None:
    listening = []

    def hear(line: str) -> None:
        if line == "child":
            fall_silent()

    def work(remote: Host) -> None:
        listening.append(listener(remote))
        with remote.on_disconnect(["touch", str(tmp_path / "done")]):
            remote.run(["sh", "-c", STUBBORN], on_err=hear)

    loses(reach, box, work)

    pass_all_silence(listening[0])
    nothing_left(box)
    assert (tmp_path / "done").exists()
    box.thaw()


def test_a_host_that_falls_silent_while_much_is_sent_to_it_is_lost(
    reach: Reach, box: Machine, fall_silent: Callable[[], None]
) -> None:
    taken = threading.Event()

    class Much(io.RawIOBase):
        def readinto(self, into: Any) -> int:
            into[:] = b"x" * len(into)
            taken.set()
            return len(into)

        def readable(self) -> bool:
            return True

    with reach(box) as remote:
        listening = listener(remote)
        client = remote.sftp()
        # So that not even what is small can be sent any more.
        sock = client.get_channel().get_transport().sock
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        sending = by_a_thread(lambda: client.putfo(Much(), "much", confirm=False))
        assert taken.wait(20)
        fall_silent()
        until(lambda: sending)
        with pytest.raises(ConnectionLost):
            remote.run(["true"])

    assert isinstance(sending[0], Exception)
    pass_all_silence(listening)
    nothing_left(box)
    box.thaw()


def test_a_host_that_answers_stays(
    reach: Reach, box: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "BEAT", 0.05)
    monkeypatch.setattr(agent, "SILENCE", NEVER)
    script = 'while [ ! -e "$0" ]; do sleep 0.1; done; echo here'
    argv = ["sh", "-c", script, str(tmp_path / "enough")]

    with reach(box) as remote:
        told = by_a_thread(lambda: remote.run(argv).out)
        beat = Path(remote.folder) / "beat"
        listening = listener(remote)
        for _ in range(3):  # the host looks whether it has heard us, and forgets that
            until(beat.exists)
            pass_silence(listening)
        (tmp_path / "enough").touch()
        until(lambda: told)

    assert told == ["here\n"]


def test_after_an_agent_was_killed_the_next_run_ends_what_was_left(
    reach: Reach, box: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "SILENCE", NEVER)

    def work(remote: Host) -> None:
        listening = listener(remote)
        number = int((Path(remote.folder) / "keeper").read_text())
        # Not as long as the listener's clock.
        argv = ["sh", "-c", "echo begun >&2; exec sleep 601"]

        def hear(_line: str) -> None:
            os.kill(number, signal.SIGKILL)
            pass_all_silence(listening)

        remote.run(argv, on_err=hear)

    loses(reach, box, work)
    until(lambda: "sleep 601" in box.processes(), box.processes)
    [left] = runs(box)

    with reach(box) as remote:
        assert runs(box) == [Path(remote.folder)]
        assert not left.exists()
        until(lambda: "sleep 601" not in box.processes(), box.processes)
    nothing_left(box)


def test_a_program_whose_shell_is_killed_is_no_lost_connection(
    remote: Host, box: Machine
) -> None:
    script = "kill -9 $PPID; exec sleep 600 >/dev/null 2>&1"

    assert remote.run(["sh", "-c", script]).code == -9
    assert remote.run(["true"]).ok


def test_a_run_whose_folder_is_removed_is_told(remote: Host, box: Machine) -> None:
    (Path(remote.folder) / "host.sh").unlink()

    with pytest.raises(HostRefused, match=r"Starting a program failed on devbox: .+"):
        # Those in advance may have begun before.
        [remote.run(["true"]) for _ in range(AHEAD + 1)]


def _refusal(reach: Reach, on: Machine) -> RemoteError:
    with pytest.raises(RemoteError) as raised, reach(on):
        pass
    on.settled()
    return raised.value


def test_a_home_that_takes_no_folder_is_told_in_two_sentences(
    make: Maker, reach: Reach
) -> None:
    error = _refusal(reach, make(environment={"HOME": "/proc"}))

    assert isinstance(error, UnusableHost)
    assert error.what.startswith("devbox can't be used: mkdir: ")
    assert "/proc/.dbpull" in error.what
    assert error.what.count("\n") == 0
    assert error.remedy == (
        "It needs a POSIX shell, and a home folder that can be written to."
    )


def test_a_user_who_may_run_nothing_is_told(make: Maker, reach: Reach) -> None:
    error = _refusal(reach, make(sshd_config=("ForceCommand echo No commands here.",)))

    assert isinstance(error, UnusableHost)
    assert error.what == "devbox can't be used: No commands here."


def test_a_full_disk_is_told_and_nothing_is_left(make: Maker, reach: Reach) -> None:
    full = make(small_disk=8192)

    error = _refusal(reach, full)

    assert isinstance(error, UnusableHost)
    assert "No space left on device" in error.what
    assert list(full.inside(full.home / ".dbpull").glob("run.*")) == []


def test_a_host_of_few_sessions_is_told_and_goes_on(make: Maker, reach: Reach) -> None:
    narrow = make(sshd_config=("MaxSessions 2",))
    with reach(narrow) as remote:
        assert remote.run(["true"]).ok
        with remote.open(["cat"]) as conversation:
            assert conversation.query("a\n") == "a\n"
            with pytest.raises(HostRefused) as raised:
                remote.run(["true"])
            assert conversation.query("b\n") == "b\n"
    nothing_left(narrow)
    assert raised.value.what == (
        "Opening a session failed on devbox: its sshd does not allow so many at once"
        " (MaxSessions)."
    )


@pytest.mark.parametrize("told", [True, False])
def test_a_host_of_one_session_is_told(
    make: Maker, reach: Reach, monkeypatch: pytest.MonkeyPatch, told: bool
) -> None:
    """Also where another thread has taken paramiko's reason."""
    paramiko = pytest.importorskip("paramiko")
    alone = make(sshd_config=("MaxSessions 1",))

    def ask(remote: Host) -> None:
        if not told:
            monkeypatch.setattr(paramiko.Transport, "get_exception", lambda _: None)
        remote.run(["true"])

    with pytest.raises(HostRefused, match="MaxSessions"), reach(alone) as remote:
        ask(remote)
    nothing_left(alone)


def test_an_error_inside_ends_the_run_and_is_raised(reach: Reach, box: Machine) -> None:
    def work() -> None:
        with reach(box) as remote:
            remote.run(["sh", "-c", "sleep 600 >/dev/null 2>&1 </dev/null &"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    nothing_left(box)


def test_a_program_that_could_not_be_started_is_no_answer(
    remote: Host, tmp_path: Path
) -> None:
    (Path(remote.folder) / "programs").rename(tmp_path / "away")
    with pytest.raises(HostRefused, match="Starting a program failed on devbox"):
        remote.exists("/")
    (tmp_path / "away").rename(Path(remote.folder) / "programs")


def test_sessions_in_advance_leave_room_for_sftp(make: Maker, reach: Reach) -> None:
    narrow = make(sshd_config=("MaxSessions 3",))
    with reach(narrow) as remote, remote.open(["cat"]) as one:
        with remote.sftp() as files:
            assert files.listdir(remote.folder)
        assert one.query("a\n") == "a\n"
    nothing_left(narrow)


def test_a_connection_that_was_open_stays_open(
    reach: Reach, box: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabric = pytest.importorskip("fabric")
    introduce(tmp_path, box)
    with fabric.Connection(box.name) as connection:
        connection.open()
        for _ in range(2):
            with connect(connection, print) as remote:
                assert remote.run(["echo", "here"]).out == "here\n"
            nothing_left(box)
        assert connection.is_connected
