"""How a host is reached: Fabric's connection, its key compared with known_hosts."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
from fabric.connection import Connection

from dbpull.errors.remote import HostKeyChanged, HostUnreachable
from dbpull.fab.sessions import Sessions
from dbpull.shell.remote import Remote

Notice = Callable[[str], None]
CONNECT = 20  # seconds for a host to answer, where neither fab nor ssh_config says
KEEPALIVE = 15  # seconds
KNOWN_HOSTS = "~/.ssh/known_hosts"


@contextmanager
def reached(
    c: Connection, notice: Notice, *, echo: Notice | None = None
) -> Iterator[Remote]:
    """A host to run commands on, connected to if it is not yet.

    Its key is compared with known_hosts; one that is not in there is taken, as Fabric
    does, unless ssh_config says `StrictHostKeyChecking yes`; `notice` is told. Raises
    HostUnreachable, HostKeyChanged, UnusableHost.
    """
    host, was_open = c.original_host, c.is_connected
    if not was_open:
        _open(c, notice)
    transport = c.transport
    transport.set_keepalive(KEEPALIVE)
    try:
        with Remote(
            host,
            Sessions(host, transport).take,
            transport.close,
            lambda: paramiko.SFTPClient.from_transport(transport),
            echo=echo,
        ) as remote:
            yield remote
    finally:
        if not was_open:
            c.close()


def _open(c: Connection, notice: Notice) -> None:
    """Connect, through its gateway if it has one; each says its own errors."""
    if isinstance(c.gateway, Connection):
        _open(c.gateway, notice)
    # Else paramiko's complaints, which we word, are printed beside ours.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    host = c.original_host
    _know_keys(c, notice)
    if c.connect_timeout is None and "timeout" not in c.connect_kwargs:
        c.connect_timeout = CONNECT
    try:
        c.open()
    except paramiko.BadHostKeyException as error:
        raise HostKeyChanged(host, _name(c), error.key.fingerprint) from error
    except (paramiko.SSHException, OSError, EOFError, ValueError) as error:
        raise HostUnreachable(host, _why(c, error)) from error


def _know_keys(c: Connection, notice: Notice) -> None:
    """Load known_hosts, which Fabric by itself does not."""
    files = c.ssh_config.get("userknownhostsfile", KNOWN_HOSTS).split()
    for file in files:
        path = Path(os.path.expanduser(file))  # noqa: PTH111 - Path's raises
        if not path.is_file():
            continue
        try:
            c.client.load_system_host_keys(str(path))
        except (OSError, paramiko.SSHException, paramiko.hostkeys.InvalidHostKey):
            why = f"{path} has a line that can't be read, so its key can't be checked"
            raise HostUnreachable(c.original_host, why) from None
    if c.ssh_config.get("stricthostkeychecking", "").lower() == "yes":
        c.client.set_missing_host_key_policy(paramiko.RejectPolicy())
    else:
        c.client.set_missing_host_key_policy(_Trusting(c.original_host, notice))


class _Trusting(paramiko.MissingHostKeyPolicy):  # type: ignore[misc] # no types
    """Takes the key of a host that is not known, as Fabric does, and says so."""

    def __init__(self, host: str, notice: Notice) -> None:
        self._host, self._notice = host, notice

    def missing_host_key(
        self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey
    ) -> None:
        self._notice(
            f"{hostname} is not in known_hosts; its key ({key.fingerprint}) was taken"
            " on trust."
        )


def _name(c: Connection) -> str:
    """As known_hosts has it."""
    return str(c.host) if c.port == 22 else f"[{c.host}]:{c.port}"


def _why(c: Connection, error: Exception) -> str:
    """Why there is no connection, as half a sentence."""
    if isinstance(error, paramiko.PasswordRequiredException):
        return "its key needs a passphrase (--prompt-for-passphrase, or an agent)"
    if isinstance(error, paramiko.AuthenticationException):
        return f"it lets {c.user} in with none of the keys that there are"
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        return f"nothing answers at {c.host} port {c.port}"
    if isinstance(error, TimeoutError):
        return f"{c.host} port {c.port} does not answer"
    if isinstance(error, OSError) and error.strerror:
        return f"{c.host}: {error.strerror}"
    return str(error).strip(".") or "the connection was closed at once"
