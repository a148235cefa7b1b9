"""The connection to a host: opened by Fabric, its key compared with known_hosts."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import paramiko
from fabric.connection import Connection

from dbpull.errors.hosts import HostUnreachable, RemoteError
from dbpull.hosts.host import Host
from dbpull.hosts.known_hosts import Notice, know, known_as
from dbpull.hosts.proxy import Proxy
from dbpull.hosts.sessions import OPEN, Sessions
from dbpull.signals import SIGNALS

CONNECT = 20  # seconds for a host to answer, where neither fab nor ssh_config says
KEEPALIVE = 15  # seconds


@contextmanager
def connect(
    c: Connection,
    notice: Notice,
    *,
    echo: Notice | None = None,
    folders: Sequence[str] = (),
) -> Iterator[Host]:
    """The Host at the end of a connection, which is opened first where necessary.

    The host's key is compared with known_hosts. A key that is not in known_hosts is
    taken, as Fabric does, unless ssh_config says `StrictHostKeyChecking yes`; `notice`
    gets a sentence. `folders` as in Host. Raises RemoteError.
    """
    host, was_open = c.original_host, c.is_connected
    if not was_open:
        _open(c, notice)
    transport = c.transport
    transport.set_keepalive(KEEPALIVE)
    try:
        typed = vars(c).get("typed", host)
        with Host(host, Sessions(host, transport), typed, echo, folders) as remote:
            yield remote
    finally:
        if not was_open:
            _close(c)


def _open(c: Connection, notice: Notice) -> None:
    """Connect, through the gateway if any; each raises errors in its own name."""
    if isinstance(c.gateway, Connection):
        _open(c.gateway, notice)
        c.gateway.transport.channel_timeout = OPEN  # else an hour
    # Else paramiko prints its log messages beside our errors.
    logging.getLogger("paramiko").addHandler(logging.NullHandler())
    with ExitStack() as undo:
        undo.callback(_close, c)
        know(c, notice)
        _leave_out_missing_keys(c, notice)
        if c.connect_timeout is None and "timeout" not in c.connect_kwargs:
            c.connect_timeout = CONNECT
        try:
            SIGNALS.during(c.open)
        except paramiko.BadHostKeyException as error:
            raise RemoteError(
                f"{c.original_host} shows another host key ({error.key.fingerprint})"
                f" than known_hosts has for {known_as(c)}, so nothing was sent to it.",
                "If it was set up anew, check the key there and remove the old one:"
                f" ssh-keygen -R '{known_as(c)}'.",
            ) from error
        except (paramiko.SSHException, OSError, EOFError, ValueError) as error:
            raise HostUnreachable(c.original_host, _why(c, error)) from error
        undo.pop_all()


def _close(c: Connection) -> None:
    """Close a connection, also one that is only half open, and its gateway's."""
    c.client.close()
    if isinstance(c.gateway, Connection):
        _close(c.gateway)


def _leave_out_missing_keys(c: Connection, notice: Notice) -> None:
    """Leave out key files that don't exist, as ssh does; paramiko would give up."""
    named = c.connect_kwargs.get("key_filename", [])
    missing = [name for name in named if not _path(name).exists()]
    for name in missing:
        notice(f"There is no key {name}.")
    if missing:
        c.connect_kwargs["key_filename"] = [n for n in named if n not in missing]


def _path(name: str) -> Path:
    return Path(os.path.expanduser(name))  # noqa: PTH111 - Path's raises


def _why(c: Connection, error: Exception) -> str:
    """The reason why there is no connection, as half a sentence."""
    where = f"{c.host} port {c.port}"
    transport = c.client.get_transport()
    if isinstance(error, paramiko.PasswordRequiredException):
        return "its key needs a passphrase (--prompt-for-passphrase, or an agent)"
    if isinstance(error, paramiko.AuthenticationException):
        return f"it accepts none of the keys found for {c.user}"
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        return f"nothing answers at {where}"
    if isinstance(error, TimeoutError):
        return f"{where} does not answer"
    if transport and not transport.remote_version:
        return f"no SSH server answers at {where}{_through(transport.sock)}"
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or c.host}: {error.strerror}"
    if isinstance(error, UnicodeError):
        return "it is no host's name"
    return str(error).strip(".") or "the connection was closed at once"


def _through(sock: object) -> str:
    """The ProxyCommand of a connection, and its last words, as half a sentence."""
    if not isinstance(sock, Proxy):
        return ""
    why = sock.last_words()
    return f" through `{sock.command}`" + (f" ({why.rstrip('.')})" if why else "")
