"""A host's key is compared with known_hosts, as ssh does; nothing switches that off."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from machines import Machine, fab, introduce
from projects import Ended, Project

ASK = ("db.cleanup",)


@pytest.fixture
def ssh(project: Project, devbox: Machine) -> Path:
    """The laptop's ~/.ssh, strict about the machine; the project has no target."""
    project.environment["DATABASE_URL"] = ""
    home = Path(project.environment["HOME"])
    introduce(home, devbox)
    return home / ".ssh"


def trusting(ssh: Path, line: str = "StrictHostKeyChecking ask") -> None:
    config = ssh / "config"
    text = config.read_text()
    config.write_text(text.replace("StrictHostKeyChecking yes", line))


def another_key(ssh: Path) -> str:
    """A key's type and text, of no machine there is."""
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(ssh / "other")]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return (ssh / "other.pub").read_text()


def known(devbox: Machine) -> str:
    return (devbox.folder / "host_key.pub").read_text()


def name(devbox: Machine) -> str:
    return f"[127.0.0.1]:{devbox.port}"


def logins(devbox: Machine) -> int:
    return devbox.log.read_text().count("Accepted publickey")


def refused(ended: Ended, cause: str, remedy: str) -> None:
    ended.refuses(cause, remedy)
    assert len(ended.err.splitlines()) == 2, ended.err


@pytest.mark.parametrize(
    "line", ["StrictHostKeyChecking yes", "StrictHostKeyChecking no"]
)
def test_another_key_is_refused_before_anything_is_sent(
    project: Project, ssh: Path, devbox: Machine, line: str
) -> None:
    trusting(ssh, line)
    (ssh / "known_hosts").write_text(f"{name(devbox)} {another_key(ssh)}")
    before = logins(devbox)

    ended = fab(project, "devbox", *ASK)

    refused(
        ended,
        r"devbox shows another host key \(SHA256:.*\) than known_hosts has for",
        re.escape(f"ssh-keygen -R '{name(devbox)}'"),
    )
    assert logins(devbox) == before


def test_an_unknown_key_is_taken_on_trust_and_said(
    project: Project, ssh: Path, devbox: Machine
) -> None:
    trusting(ssh)
    (ssh / "known_hosts").unlink()

    ended = fab(project, "devbox", *ASK).succeeds()

    told = f"{name(devbox)} is not in known_hosts; its key (SHA256:"
    assert told in ended.err
    assert not (ssh / "known_hosts").exists()


def test_an_unknown_key_is_refused_where_ssh_config_is_strict(
    project: Project, ssh: Path, devbox: Machine
) -> None:
    (ssh / "known_hosts").write_text("\n")
    before = logins(devbox)

    ended = fab(project, "devbox", *ASK)

    refused(
        ended,
        "not in known_hosts, and ~/.ssh/config says StrictHostKeyChecking yes",
        r"Check its key \(SHA256:.*`ssh devbox`",
    )
    assert logins(devbox) == before


@pytest.mark.parametrize("key", ["ssh-ed25519 AAA!x=", "ssh-ed25519 AAAA"])
def test_a_broken_line_is_in_the_way_of_its_own_host_only(
    project: Project, ssh: Path, devbox: Machine, key: str
) -> None:
    trusting(ssh)
    right = f"{name(devbox)} {known(devbox)}"
    (ssh / "known_hosts").write_text(f"# broken\n{name(devbox)} {key}\n")
    before = logins(devbox)

    ended = fab(project, "devbox", *ASK)

    refused(ended, "line 2 of .*known_hosts can't be used", "Correct that line")
    assert logins(devbox) == before
    (ssh / "known_hosts").write_bytes(b"# caf\xe9\nelse " + f"{key}\n{right}".encode())
    assert "was accepted" not in fab(project, "devbox", *ASK).succeeds().err


@pytest.mark.parametrize("names", ["*", "else,{name}"])
def test_a_key_may_be_revoked(
    project: Project, ssh: Path, devbox: Machine, names: str
) -> None:
    right = f"{name(devbox)} {known(devbox)}"
    revoked = f"@revoked {names.format(name=name(devbox))} {known(devbox)}"
    (ssh / "known_hosts").write_text(right + revoked)
    before = logins(devbox)

    ended = fab(project, "devbox", *ASK)

    refused(ended, "line 2 of .*known_hosts can't be used", "see `ssh devbox`")
    assert logins(devbox) == before
    (ssh / "known_hosts").write_text(f"{right}@revoked else {known(devbox)}")
    fab(project, "devbox", *ASK).succeeds()


def test_names_may_be_hashed(project: Project, ssh: Path, devbox: Machine) -> None:
    argv = ["ssh-keygen", "-q", "-H", "-f", str(ssh / "known_hosts")]
    subprocess.run(argv, check=True, capture_output=True)
    assert name(devbox) not in (ssh / "known_hosts").read_text()

    assert "was accepted" not in fab(project, "devbox", *ASK).succeeds().err


def test_a_host_may_be_known_by_an_alias(
    project: Project, ssh: Path, devbox: Machine
) -> None:
    trusting(ssh, "HostKeyAlias the-box\n    StrictHostKeyChecking yes")
    (ssh / "known_hosts").write_text(f"the-box {known(devbox)}")

    fab(project, "devbox", *ASK).succeeds()

    (ssh / "known_hosts").write_text(f"the-box {another_key(ssh)}")
    refused(fab(project, "devbox", *ASK), "for the-box, so nothing", "-R 'the-box'")


def test_all_the_files_that_ssh_config_names_are_read(
    project: Project, ssh: Path, devbox: Machine
) -> None:
    for file, host in (("one", "else"), ("two", name(devbox))):
        (ssh / file).write_text(f"{host} {known(devbox)}")
    config = (ssh / "config").read_text()
    named = f"UserKnownHostsFile {ssh / 'none'} {ssh / 'one'} ~/.ssh/two"
    (ssh / "config").write_text(re.sub("UserKnownHostsFile .*", named, config))

    fab(project, "devbox", *ASK).succeeds()


def test_an_authority_makes_nobody_known(
    project: Project, ssh: Path, devbox: Machine
) -> None:
    trusting(ssh)
    (ssh / "known_hosts").write_text(f"@cert-authority * {another_key(ssh)}")

    assert "was accepted" in fab(project, "devbox", *ASK).succeeds().err
