"""The machines of the tests are what they say: tried with OpenSSH and with Fabric."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from databases import FOLDERS, OLD
from faulty_stand_in import StandIn
from machines import Machine, _real_name, fab, introduce, machine, start_fab
from projects import Project
from worlds import World

Maker = Callable[..., Machine]
Connect = Callable[[Machine], Any]
PROGRAMS = next(iter(FOLDERS.values()), None)
SLEEP = "sleep 600"
IN_THE_BACKGROUND = f"{SLEEP} </dev/null >/dev/null 2>&1 & echo begun"
_PIPES: dict[str, Any] = {
    "stdin": subprocess.DEVNULL,
    "stdout": subprocess.PIPE,
    "stderr": subprocess.PIPE,
    "text": True,
}


@pytest.fixture(scope="module")
def shared() -> Iterator[Machine]:
    with machine(programs=PROGRAMS) as made:
        yield made


@pytest.fixture
def box(shared: Machine) -> Iterator[Machine]:
    """A machine; that it is renewed after each test is a test of that."""
    yield shared
    shared.renew()


@pytest.fixture
def make() -> Iterator[Maker]:
    """Like `make_machine`, without a Heroku."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(machine(**options))


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Connect to a machine as `fab` does, by its name."""
    fabric = pytest.importorskip("fabric")
    monkeypatch.setenv("HOME", str(tmp_path))

    def connected(to: Machine) -> Any:
        introduce(tmp_path, to)
        return fabric.Connection(to.name)

    return connected


def _told(on: Machine, command: str) -> str:
    ended = on.run(command)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.rstrip("\n")


def _over(connection: Any, command: str) -> str:
    return str(connection.run(command, hide=True, in_stream=False).stdout)


def _asleep(on: Machine) -> subprocess.Popen[str]:
    """A client whose command sleeps there."""
    client = subprocess.Popen(on.ssh(f"echo begun; exec {SLEEP}"), **_PIPES)
    assert client.stdout
    assert client.stdout.readline() == "begun\n"
    _until(lambda: on.processes() == [SLEEP])
    return client


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_one_logs_in_and_is_at_home(box: Machine) -> None:
    assert _told(box, "pwd; echo $HOME") == f"{box.home}\n{box.home}"
    assert _told(box, "id -un; echo $PATH") == f"{box.user}\n{box.bin}"
    assert _told(box, 'printf "%s|" "a  b" \'$x\'') == "a  b|$x|"
    assert box.run("exit 7").returncode == 7
    assert box.run("cat", stdin="secret").stdout == "secret"
    assert "Accepted publickey" in box.log.read_text()


def test_it_says_what_its_user_begins_each_shell_with_once(box: Machine) -> None:
    (box.home / ".bashrc").write_text("echo welcome\n")

    assert _told(box, "echo done") in ("welcome\ndone", "done")


def test_a_login_without_a_command_has_a_shell(box: Machine) -> None:
    ended = subprocess.run(
        box.ssh(), input="pwd\n", capture_output=True, text=True, check=True
    )

    assert str(box.home) in ended.stdout.splitlines()


def test_its_path_has_the_usual_programs_and_one_postgresql(box: Machine) -> None:
    assert PROGRAMS
    assert _told(box, "readlink $(command -v psql)") == str(PROGRAMS / "psql")
    for name in ("sh", "cat", "pg_restore"):
        assert _told(box, f"command -v {name}") == str(box.bin / name)
    version = subprocess.check_output([PROGRAMS / "psql", "--version"], text=True)
    assert _told(box, "psql --version") == version.strip()


def test_a_machine_without_postgresql_has_none_not_even_debians(make: Maker) -> None:
    bare = make(without=("curl",))

    for name in ("psql", "pg_restore", "pg_dump", "postgres", "curl"):
        assert bare.run(f"command -v {name}").returncode != 0
    assert _told(bare, "command -v cat")


def test_programs_can_be_missing(make: Maker) -> None:
    lacking = make(programs=PROGRAMS, without=("pg_restore",))

    assert lacking.run("command -v pg_restore").returncode != 0
    assert _told(lacking, "command -v psql")


def test_it_has_the_login_shell_and_the_variables_that_it_was_given(
    make: Maker, connect: Connect
) -> None:
    dashing = make(login_shell="dash", environment={"COLOR": "dark blue"})

    shell = _told(dashing, "readlink -f /proc/$$/exe; echo $COLOR")
    assert Path(shell.splitlines()[0]).name == "dash"
    assert shell.splitlines()[1] == "dark blue"
    assert dashing.run("[[ a = a ]]").returncode == 127
    with connect(dashing) as connection:
        connection.put(BytesIO(b"over sftp"), "small")
        assert _over(connection, "cat small") == "over sftp"


def test_files_go_there_and_back_over_sftp(
    box: Machine, connect: Connect, tmp_path: Path
) -> None:
    content = os.urandom(1 << 20)
    with connect(box) as connection:
        connection.put(BytesIO(content), "there")
        connection.get("there", str(tmp_path / "back"))

    assert (box.home / "there").read_bytes() == content
    assert (tmp_path / "back").read_bytes() == content


def test_openssh_has_sftp_there_too(box: Machine) -> None:
    argv = ["sftp", *box.ssh()[1:]]

    ended = subprocess.run(argv, input="pwd\n", capture_output=True, text=True)

    assert f"Remote working directory: {box.home}" in ended.stdout


def test_a_machine_may_have_no_sftp(make: Maker, connect: Connect) -> None:
    without = make(sftp=False)

    with connect(without) as connection:
        with pytest.raises(Exception, match=r"closed|EOF"):
            connection.put(BytesIO(b"x"), "there")
        assert _over(connection, "pwd") == f"{without.home}\n"


def test_more_lines_for_sshd_win(make: Maker) -> None:
    refusing = make(sshd_config=("AuthorizedKeysFile none",))

    ended = refusing.run("true")

    assert ended.returncode == 255
    assert "Permission denied" in ended.stderr


def test_its_processes_are_told_apart_from_anothers(make: Maker, box: Machine) -> None:
    other = make(name="buildbox")
    assert _told(box, IN_THE_BACKGROUND) == "begun"

    _until(lambda: box.processes() == [SLEEP])  # a shell first, which then becomes it
    assert other.processes() == []
    other.settled()
    with pytest.raises(AssertionError, match=SLEEP):
        box.settled(0.2)
    box.end_programs()
    box.settled()


def test_a_cut_ends_connections_and_leaves_programs(box: Machine) -> None:
    with _asleep(box) as first, _asleep_too(box) as second:
        assert box.connections() == 2

        box.cut()

        assert (first.wait(20), second.wait(20)) == (255, 255)
    assert box.connections() == 0
    assert box.processes() == [SLEEP, SLEEP]
    assert _told(box, "echo here") == "here"


def _asleep_too(on: Machine) -> subprocess.Popen[str]:
    on_it = len(on.pids())
    client = subprocess.Popen(on.ssh(SLEEP), **_PIPES)
    _until(lambda: on.processes() == [SLEEP] * (on_it + 1))
    return client


def test_a_cut_connection_is_known_to_fabric(box: Machine, connect: Connect) -> None:
    with connect(box) as connection:
        _over(connection, "true")
        box.cut()
        _until(lambda: not connection.is_connected)


def test_frozen_connections_are_silent_and_new_ones_are_not(box: Machine) -> None:
    ask = subprocess.Popen(
        box.ssh("while read line; do echo $line; done"),
        **{**_PIPES, "stdin": subprocess.PIPE},
    )
    with ask, ExitStack() as stack:
        stack.callback(ask.kill)  # where the test fails, its client may be frozen
        _says(ask, "one")
        _hears(ask, "one")
        box.freeze()
        box.freeze()

        _says(ask, "two")
        assert _told(box, "echo here") == "here"
        _until(lambda: box.connections() == 1)  # sshd outlives its client a moment
        assert ask.poll() is None

        box.thaw()
        _hears(ask, "two")
        box.freeze()
        box.cut()
        assert ask.wait(20) == 255


def _says(client: subprocess.Popen[str], line: str) -> None:
    assert client.stdin
    client.stdin.write(f"{line}\n")
    client.stdin.flush()


def _hears(client: subprocess.Popen[str], line: str) -> None:
    assert client.stdout
    assert client.stdout.readline() == f"{line}\n"


def test_a_machine_goes_off_the_net_and_comes_back(box: Machine) -> None:
    with _asleep(box) as client:
        box.stop()
        assert client.wait(20) == 255
    refused = box.run("true")
    assert refused.returncode == 255
    assert "Connection refused" in refused.stderr
    assert box.processes() == [SLEEP]

    box.start()

    assert _told(box, "echo here") == "here"


def test_secrets_in_command_lines_and_environments_are_seen(box: Machine) -> None:
    with box.watch_processes([b"hush", b"quiet"]) as watch, ExitStack() as stack:
        for command, line in (
            ("PGPASSWORD=hush sleep 600", ""),
            (": quiet; sleep 601; :", ""),
            ("read secret; sleep 602", ""),
            ("read secret; sleep 603", "hush"),
        ):
            pipes = {**_PIPES, "stdin": subprocess.PIPE}
            client = stack.enter_context(subprocess.Popen(box.ssh(command), **pipes))
            stack.callback(client.kill)
            _says(client, line)
        _until(lambda: len({c for c in watch.seen if c.startswith("sleep 60")}) == 4)
        _until(lambda: any("quiet" in command for command in watch.found))
        # It may be seen with its shell's environment at first.
        _until(lambda: "sleep 600" in watch.found)

    assert {"sleep 601", "sleep 602", "sleep 603"} <= watch.seen - watch.found


def test_folders_can_be_hidden(make: Maker, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    hiding = make(hide=(tmp_path, Path("/usr/lib/postgresql")))

    assert _told(hiding, f"ls -A {tmp_path} /usr/lib/postgresql/ | grep -v :") == ""
    assert not hiding.inside(tmp_path / "file").exists()
    assert (tmp_path / "file").exists()
    hiding.stop()
    hiding.start()
    assert _told(hiding, f"ls -A {tmp_path}") == ""


def test_a_disk_can_be_small(make: Maker) -> None:
    small = make(small_disk=1 << 20)

    ended = small.run("head -c 2000000 /dev/zero > .dbpull/much")

    assert ended.returncode != 0
    assert "No space left on device" in ended.stderr
    assert small.inside(small.home / ".dbpull/much").stat().st_size == 1 << 20
    assert list((small.home / ".dbpull").iterdir()) == []
    assert _told(small, "head -c 2000000 /dev/zero > much; wc -c < much") == "2000000"


def test_nothing_is_left_of_a_machine() -> None:
    with machine() as made:
        _told(made, IN_THE_BACKGROUND)
        client = _asleep_too(made)
    with client:
        assert client.wait(20) == 255
    made.settled(0)
    assert not made.folder.exists()


def test_fab_runs_on_two_machines_one_after_the_other(
    project: Project, devbox: Machine, buildbox: Machine
) -> None:
    introduce(Path(project.environment["HOME"]), devbox, buildbox)

    ended = fab(project, "devbox,buildbox", "--", "pwd; psql --version").succeeds()

    theirs, version, others, older = ended.out.splitlines()
    assert [theirs, others] == [str(devbox.home), str(buildbox.home)]
    assert [line.split()[2].split(".")[0] for line in (version, older)] == ["18", OLD]
    run = start_fab(project, "devbox", "--", SLEEP)
    run.until(lambda: devbox.processes() == [SLEEP])
    devbox.end_programs()
    run.end()


def test_curl_there_trusts_the_download_host(
    world: World, heroku: StandIn, make_machine: Maker
) -> None:
    trusting = make_machine(environment={"MORE": "too"})

    assert _told(trusting, "echo $CURL_CA_BUNDLE $MORE") == f"{world.heroku.ca} too"
    url = heroku.download
    assert trusting.run(f"curl -sS {url}/nothing").returncode == 0
    assert trusting.run(f"unset CURL_CA_BUNDLE; curl -sS {url}").returncode == 60


@pytest.mark.parametrize("leads_to", ["X11", "nowhere"])
def test_a_link_that_leads_nowhere_or_to_itself_is_no_error(
    tmp_path: Path, leads_to: str
) -> None:
    link = tmp_path / "X11"
    link.symlink_to(tmp_path / leads_to)

    assert _real_name(link) == leads_to
