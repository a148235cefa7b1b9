"""The host keys of known_hosts, and the policy for a host without one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
from fabric.connection import Connection
from paramiko.config import SSH_PORT
from paramiko.hostkeys import HostKeyEntry, HostKeys, InvalidHostKey

from dbpull.errors.hosts import HostUnreachable

Notice = Callable[[str], None]
# The later file wins.
EVERYBODYS = "globalknownhostsfile", "/etc/ssh/ssh_known_hosts"
OWN = "userknownhostsfile", "~/.ssh/known_hosts"


def know(c: Connection, notice: Notice) -> None:
    """Load a host's keys from known_hosts, which Fabric itself does not do.

    A host without a key is trusted, as Fabric does, and `notice` gets a sentence;
    unless ssh_config says `StrictHostKeyChecking yes`. Raises HostUnreachable where a
    line of this host can't be read.
    """
    keys = c.client.get_host_keys()
    for path in _files(c):
        for number, line in enumerate(_lines(path), 1):
            try:
                for key in _keys(line, known_as(c)):
                    keys.add(_asked_as(c), key.get_name(), key)
            except (paramiko.SSHException, InvalidHostKey, ValueError):
                why = f"line {number} of {path} can't be used to check its key"
                remedy = f"Correct that line, or see `ssh {c.original_host}`."
                raise HostUnreachable(c.original_host, why, remedy) from None
    strict = c.ssh_config.get("stricthostkeychecking", "").lower() == "yes"
    c.client.set_missing_host_key_policy(_Unknown(c.original_host, notice, strict))


def known_as(c: Connection) -> str:
    """A host's name in known_hosts."""
    return str(c.ssh_config.get("hostkeyalias") or _asked_as(c))


def _asked_as(c: Connection) -> str:
    """The name by which paramiko looks for a host's key."""
    return str(c.host) if c.port == SSH_PORT else f"[{c.host}]:{c.port}"


def _files(c: Connection) -> list[Path]:
    names = [c.ssh_config.get(*where) for where in (EVERYBODYS, OWN)]
    paths = [os.path.expanduser(name) for name in " ".join(names).split()]  # noqa: PTH111 - Path's raises
    return [path for path in map(Path, paths) if path.is_file()]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # as if there were no such file
        return []


def _keys(line: str, name: str) -> Iterator[paramiko.PKey]:
    """A line's key, where it is the host's. Raises where the line can't be read."""
    words = line.split()
    if words[:1] == ["@revoked"] and _is_among(name, words[1:2], patterns=True):
        raise ValueError("paramiko can't tell which keys are revoked")
    if _is_among(name, words[:1]):
        entry = HostKeyEntry.from_line(" ".join(words))
        if entry:
            yield entry.key


def _is_among(name: str, names: list[str], *, patterns: bool = False) -> bool:
    """Whether a line's names, plain or hashed, have the name of the host."""
    for known in "".join(names).split(","):
        hashed = known.startswith("|1|") and HostKeys.hash_host(name, known) == known
        if known == name or hashed or (patterns and set(known) & set("*?!")):
            return True
    return False


class _Unknown(paramiko.MissingHostKeyPolicy):  # type: ignore[misc] # no types
    """Takes the key of an unknown host, as Fabric does, and tells the user."""

    def __init__(self, host: str, notice: Notice, strict: bool) -> None:  # noqa: FBT001
        self._host, self._notice, self._strict = host, notice, strict

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        unknown = f"{hostname} is not in known_hosts"
        if not self._strict:
            self._notice(f"{unknown}; its key ({key.fingerprint}) was accepted.")
            return
        why = f"{unknown}, and ~/.ssh/config says StrictHostKeyChecking yes"
        remedy = f"Check its key ({key.fingerprint}), then add it: `ssh {self._host}`."
        raise HostUnreachable(self._host, why, remedy)
