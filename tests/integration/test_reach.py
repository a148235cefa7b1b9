"""Getting to a host: names, users, keys, jump hosts, and each way that fails."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from machines import Machine, fab, introduce
from projects import Ended, Project

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
    assert "No dump or part" in fab(project, "devbox", *ASK).succeeds().err


def test_user_address_port_and_key_may_be_typed(
    project: Project, home: Path, devbox: Machine
) -> None:
    (home / ".ssh/config").unlink()
    typed = f"{devbox.user}@127.0.0.1:{devbox.port}"

    ended = fab(project, typed, "-i", str(devbox.folder / "user_key"), *ASK)

    assert "No dump or part" in ended.succeeds().err


def test_a_host_that_nobody_knows(project: Project, home: Path) -> None:
    fails(fab(project, "nobody", *ASK), "nobody can't be reached: nobody", "ssh nobody")


def test_a_port_that_is_none(project: Project, home: Path) -> None:
    fails(fab(project, "devbox:abc", *ASK), "no host's name and port", "ssh")


def test_a_host_that_is_down(project: Project, home: Path, devbox: Machine) -> None:
    devbox.stop()

    fails(fab(project, "devbox", *ASK), "nothing answers at 127.0.0.1 port")


def test_a_host_that_does_not_speak(
    project: Project, home: Path, devbox: Machine
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        configured(home, f"Port {devbox.port}", f"Port {port}")

        ended = fab(project, "devbox", *ASK)

    fails(ended, "devbox can't be reached: ")


def test_a_user_who_is_not_let_in(project: Project, home: Path) -> None:
    ended = fab(project, "nobody-such@devbox", *ASK)

    fails(ended, "it lets nobody-such in with none of the keys")


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


def test_a_host_key_that_changed_is_refused_before_anything_is_sent(
    project: Project, home: Path, devbox: Machine
) -> None:
    other = home / "other_key"
    _keygen(other)
    line = f"[127.0.0.1]:{devbox.port} {other.with_suffix('.pub').read_text()}"
    (home / ".ssh/known_hosts").write_text(line)

    before = devbox.log.read_text().count("Accepted publickey")

    ended = fab(project, "devbox", *ASK)

    fails(ended, "devbox shows another host key .SHA256:", "ssh-keygen -R '.127")
    assert devbox.log.read_text().count("Accepted publickey") == before


def test_a_host_key_that_is_not_known_is_taken_and_said(
    project: Project, home: Path, devbox: Machine
) -> None:
    (home / ".ssh/known_hosts").unlink()
    configured(home, "StrictHostKeyChecking yes", "StrictHostKeyChecking ask")

    ended = fab(project, "devbox", *ASK).succeeds()

    assert "is not in known_hosts; its key (SHA256:" in ended.err


def test_a_host_key_that_is_not_known_is_refused_where_ssh_config_is_strict(
    project: Project, home: Path
) -> None:
    (home / ".ssh/known_hosts").write_text("\n")

    fails(fab(project, "devbox", *ASK), "not found in known_hosts")


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

    assert "No dump or part" in ended.succeeds().err
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

    assert "No dump or part" in ended.succeeds().err


def test_a_command_after_two_dashes_is_fabrics_affair(
    project: Project, home: Path
) -> None:
    ended = fab(project, "devbox", "--", "echo", "hello").succeeds()

    assert (ended.out, ended.err) == ("hello\n", "")


def test_what_is_for_this_machine_alone_is_refused(
    project: Project, home: Path, devbox: Machine
) -> None:
    for task in ("db.demo", "db.stop"):
        fails(fab(project, "devbox", task), f"{task} is for this machine", "without -H")


def _keygen(path: Path, passphrase: str = "") -> None:
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)


@contextmanager
def _agent(home: Path, key: Path) -> Iterator[str]:
    """A real ssh-agent that has a key; its socket."""
    address = str(home / "agent")
    agent = subprocess.Popen(
        ["ssh-agent", "-D", "-a", address], stdout=subprocess.DEVNULL
    )
    try:
        while not Path(address).exists():
            assert agent.poll() is None
        env = {**os.environ, "SSH_AUTH_SOCK": address}
        subprocess.run(["ssh-add", "-q", str(key)], env=env, check=True)
        yield address
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait()
