"""Getting to a host: names, users, keys, jump hosts, and each way that fails."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from faulty_stand_in import StandIn
from machines import Machine, fab, introduce, start_fab
from projects import Ended, Project, Run
from targets import Target

ASK = ("db.cleanup",)


@pytest.fixture
def home(project: Project, devbox: Machine) -> Path:
    """The laptop's user, who knows the machine; the project has no target."""
    project.environment["DATABASE_URL"] = ""
    home = Path(project.environment["HOME"])
    introduce(home, devbox)
    return home


def configured(home: Path, old: str, new: str) -> None:
    """Change the laptop's ssh_config."""
    config = home / ".ssh/config"
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new))


def fails(ended: Ended, cause: str, remedy: str = "ssh devbox") -> None:
    ended.refuses(cause, remedy)
    assert len(ended.err.splitlines()) == 2, ended.err


def test_a_name_of_ssh_config_is_enough(project: Project, home: Path) -> None:
    assert "No dump or incomplete" in fab(project, "devbox", *ASK).succeeds().err


def test_user_address_port_and_key_may_be_typed(
    project: Project, home: Path, devbox: Machine
) -> None:
    (home / ".ssh/config").unlink()
    typed = f"{devbox.user}@127.0.0.1:{devbox.port}"

    ended = fab(project, typed, "-i", str(devbox.folder / "user_key"), *ASK)

    assert "No dump or incomplete" in ended.succeeds().err


def test_what_to_type_next_has_the_host_as_it_was_typed(
    project: Project, home: Path, devbox: Machine
) -> None:
    (home / ".ssh/config").unlink()
    typed = f"{devbox.user}@127.0.0.1:{devbox.port}"
    key = str(devbox.folder / "user_key")

    ended = fab(project, typed, "-i", key, "db.restore", "--dump=none")

    ended.refuses("There is no file none on 127.0.0.1", f"`fab -H {typed} db.fetch`")


def test_a_host_that_nobody_knows(project: Project, home: Path) -> None:
    fails(fab(project, "nobody", *ASK), "nobody can't be reached: nobody", "ssh nobody")


def test_a_port_that_is_none(project: Project, home: Path) -> None:
    fails(fab(project, "devbox:abc", *ASK), "no host's name and port", "ssh")


def test_a_host_that_is_down(project: Project, home: Path, devbox: Machine) -> None:
    devbox.stop()

    fails(fab(project, "devbox", *ASK), "nothing answers at 127.0.0.1 port")


@contextmanager
def answering(home: Path, devbox: Machine, answer: bytes | None) -> Iterator[None]:
    """Something else than an SSH server in the machine's place; None: it is silent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        configured(home, f"Port {devbox.port}", f"Port {port}")

        def serve() -> None:
            with suppress(OSError):
                while answer is not None:
                    theirs, _ = listener.accept()
                    with theirs:
                        theirs.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield
        finally:
            # Closing alone would not wake who waits in accept.
            listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "answer",
    [None, b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\n" * 3000],
    ids=["silence", "the end", "another protocol", "noise"],
)
def test_what_is_no_ssh_server_is_told_as_such(
    project: Project, home: Path, devbox: Machine, answer: bytes | None
) -> None:
    with answering(home, devbox, answer):
        ended = fab(project, "devbox", "-t", "1", *ASK)

    fails(ended, "devbox can't be reached: no SSH server answers at 127.0.0.1 port ")


def test_ctrl_c_is_heard_while_connecting(
    project: Project, home: Path, devbox: Machine
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        configured(home, f"Port {devbox.port}", f"Port {port}")
        # Port 1 refuses at once; a name that nobody knows may be looked up for long.
        run = start_fab(project, "devbox,127.0.0.1:1", *ASK)
        theirs, _ = listener.accept()
        with theirs:
            run.says("127.0.0.1 can't be reached")

            run.signal(signal.SIGINT)

            ended = run.end()

    assert "devbox: Error: Stopped while connecting." in ended.err, ended.err
    ended.refuses("2 of 2 hosts failed", "", code=130)


def test_a_user_who_is_not_let_in(project: Project, home: Path) -> None:
    ended = fab(project, "nobody-such@devbox", *ASK)

    fails(ended, "it accepts none of the keys found for nobody-such")


def test_a_key_that_is_not_accepted(
    project: Project, home: Path, devbox: Machine
) -> None:
    other = home / "other_key"
    _keygen(other)
    configured(home, str(devbox.folder / "user_key"), str(other))

    fails(fab(project, "devbox", *ASK), "none of the keys")


def test_a_key_with_a_passphrase(project: Project, home: Path, devbox: Machine) -> None:
    locked = home / "locked_key"
    _keygen(locked, "a secret")
    configured(home, str(devbox.folder / "user_key"), str(locked))

    fails(fab(project, "devbox", *ASK), "passphrase|none of the keys")


@pytest.mark.parametrize("how", ["ProxyJump jump", "ProxyCommand {ssh} -W %h:%p jump"])
def test_a_jump_host_is_gone_through(
    project: Project,
    home: Path,
    devbox: Machine,
    make_machine: Callable[..., Machine],
    how: str,
) -> None:
    jump = make_machine(name="jump", sshd_config=("AllowTcpForwarding yes",))
    introduce(home, devbox, jump)
    ssh = f"{shutil.which('ssh')} -F {home}/.ssh/config"
    line = how.format(ssh=ssh)
    configured(home, "Host devbox\n", f"Host devbox\n    {line}\n")

    ended = fab(project, "devbox", *ASK)

    assert "No dump or incomplete" in ended.succeeds().err
    assert "Accepted publickey" in jump.log.read_text()


def test_a_jump_host_that_is_down_is_the_one_that_is_named(
    project: Project, home: Path, devbox: Machine, make_machine: Callable[..., Machine]
) -> None:
    jump = make_machine(name="jump")
    introduce(home, devbox, jump)
    configured(home, "Host devbox\n", "Host devbox\n    ProxyJump jump\n")
    jump.stop()

    fails(fab(project, "devbox", *ASK), "jump can't be reached: nothing", "ssh jump")


def test_an_agent_has_the_key(project: Project, home: Path, devbox: Machine) -> None:
    configured(home, "IdentitiesOnly yes", "IdentitiesOnly no")
    configured(home, f"    IdentityFile {devbox.folder / 'user_key'}\n", "")

    with _agent(home, devbox.folder / "user_key") as address:
        ended = fab(project, "devbox", *ASK, SSH_AUTH_SOCK=address)

    assert "No dump or incomplete" in ended.succeeds().err


def test_a_host_is_offered_its_own_keys_only(
    project: Project, home: Path, devbox: Machine, make_machine: Callable[..., Machine]
) -> None:
    strict = make_machine(name="strict", sshd_config=("MaxAuthTries 1",))
    introduce(home, devbox, strict)

    ended = fab(project, "devbox,strict", *ASK, *ASK).succeeds()

    assert ended.err.count("strict: No dump or incomplete") == 2


def test_a_key_that_is_not_there_is_said_and_the_others_are_tried(
    project: Project, home: Path, devbox: Machine
) -> None:
    configured(home, "Host devbox\n", "Host devbox\n    IdentityFile ~/no such\n")

    ended = fab(project, "devbox", "-i", "/nowhere/key", *ASK).succeeds()

    assert "There is no key /nowhere/key." in ended.err
    assert "No dump or incomplete" in ended.err


def test_a_file_that_is_no_key_is_told(
    project: Project, home: Path, devbox: Machine
) -> None:
    key = devbox.folder / "user_key"
    configured(home, str(key), f"{key}.pub")

    fails(fab(project, "devbox", *ASK), "not a valid OPENSSH private key")


@pytest.mark.parametrize(
    "line", ["ProxyJump none", "ProxyCommand none", "ForwardAgent ask", "Port 0x"]
)
def test_a_line_of_ssh_config_means_what_it_means_to_ssh(
    project: Project, home: Path, devbox: Machine, line: str
) -> None:
    configured(home, "Host devbox\n", f"Host devbox\n    {line}\n")

    ended = fab(project, "devbox", *ASK)

    if line == "Port 0x":
        fails(ended, "~/.ssh/config has a value for it that can't be used .*0x")
    else:
        assert "No dump or incomplete" in ended.succeeds().err


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("false", "no SSH server answers at .* through `false`"),
        ("no-such-program %h", "no SSH .* through `no-such.*` .*not found"),
        ("echo no way there >&2; exit 1 #", r"no SSH server .* \(no way there\)"),
        ("echo not here | cat", "no SSH server .* through `echo not here | cat`"),
    ],
)
def test_a_proxy_command_that_fails_is_told(
    project: Project, home: Path, command: str, why: str
) -> None:
    configured(home, "Host devbox\n", f"Host devbox\n    ProxyCommand {command}\n")

    fails(fab(project, "devbox", *ASK), f"devbox can't be reached: {why}")


GROUP = "import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])"


@pytest.fixture
def through_a_proxy(
    project: Project,
    home: Path,
    heroku: StandIn,
    target: Target,
    devbox: Machine,
    jump: Machine,
) -> Run:
    """A pull through a ProxyCommand, in the midst of its restore; a group alone."""
    introduce(home, devbox, jump)
    command = f"{shutil.which('ssh')} -F {home}/.ssh/config -W %h:%p jump"
    configured(home, "Host devbox\n", f"Host devbox\n    ProxyCommand {command}\n")
    words = ("-m", "fabric", "-H", "devbox", "db.pull", "--app=slow-index")
    argv = [sys.executable, "-c", GROUP, sys.executable, *words]
    run = project.begin(argv, None, {"DATABASE_URL": target.url})
    sql = "select count(*) from pg_stat_activity where query like 'CREATE INDEX%';"
    run.until(lambda: target.postgres.sql("postgres", sql) != "0")
    return run


@pytest.fixture
def jump(make_machine: Callable[..., Machine]) -> Machine:
    """The machine that one has to go through."""
    return make_machine(name="jump")


def test_a_terminals_ctrl_c_does_not_end_the_proxy_command_first(
    target: Target, devbox: Machine, through_a_proxy: Run
) -> None:
    os.killpg(through_a_proxy.process.pid, signal.SIGINT)

    ended = through_a_proxy.end()

    ended.refuses("Stopped by Ctrl-C while restoring", "as it was", code=130)
    assert target.family == {"target"}  # put in order from here, before the end
    devbox.settled()


def test_a_proxy_command_that_ends_is_a_connection_lost(
    target: Target, devbox: Machine, jump: Machine, through_a_proxy: Run
) -> None:
    jump.cut()

    through_a_proxy.end().refuses("SSH connection to devbox was lost", "as it was")

    devbox.settled()
    assert target.family == {"target"}


def test_a_jump_host_that_leads_nowhere_is_told(
    project: Project, home: Path, devbox: Machine, make_machine: Callable[..., Machine]
) -> None:
    jump = make_machine(name="jump")
    introduce(home, devbox, jump)
    configured(home, "Host devbox\n", "Host devbox\n    ProxyJump jump\n")
    devbox.stop()

    fails(fab(project, "devbox", *ASK), "devbox can't be reached: .*onnect")


def test_a_command_after_two_dashes_is_fabrics_affair(
    project: Project, home: Path
) -> None:
    ended = fab(project, "devbox", "--", "echo", "hello").succeeds()

    assert (ended.out, ended.err) == ("hello\n", "")


def test_what_is_for_this_machine_alone_is_refused(
    project: Project, home: Path, devbox: Machine
) -> None:
    for task in ("db.demo", "db.start", "db.stop", "db.url", "db.shell"):
        fails(fab(project, "devbox", task), f"{task} is for this machine", "without -H")


def _keygen(path: Path, passphrase: str = "") -> None:
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


def _answers(address: str) -> bool:
    """Whether it listens there: its socket is there a moment before."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(address) == 0


@contextmanager
def _agent(home: Path, key: Path) -> Iterator[str]:
    """A real ssh-agent that has a key; its socket."""
    address = str(home / "agent")
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", address], stdout=subprocess.DEVNULL
    )
    try:
        while not _answers(address):
            assert agent.poll() is None
            time.sleep(0.01)
        env = {**os.environ, "SSH_AUTH_SOCK": address}
        subprocess.run(["ssh-add", "-q", str(key)], env=env, check=True)
        yield address
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait()
