"""The channels of an SSH connection; the next session is always opened in advance.

A program on a host costs three round trips: for its session, its start, its answer.
With a session that is open already, and a start that is not waited for, it costs one;
with stdin two, since sshd takes none before a program's start.
"""

from __future__ import annotations

import socket
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

import paramiko

from dbpull.errors.hosts import ConnectionLost, HostRefused
from dbpull.hosts.channel import answered

OPEN = 30.0  # seconds for a session to be opened


class Sessions:
    """Opens channels of a connection. Raises ConnectionLost, HostRefused."""

    def __init__(self, host: str, transport: paramiko.Transport) -> None:
        self._host = host
        self._transport = transport
        self._lock = threading.Lock()
        with suppress(AttributeError, OSError):  # a jump host's channel has no options
            # Our messages are small, and wanted at once.
            transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._next: Future[Any] | None = self._begin()

    def take(self) -> Any:
        """A session for one program."""
        with self._lock:
            session = self._taken()
            # On a host that allows few sessions, a spare session would be in the way.
            self._next = self._begin() if self._next else None
        return session

    def sftp(self) -> paramiko.SFTPClient:
        """A channel for SFTP. Raises ConnectionLost, and the errors of paramiko."""
        transport, client = self._transport, paramiko.SFTPClient
        try:
            return answered(transport, lambda: client.from_transport(transport))
        except Exception as error:
            if transport.is_active():
                raise
            raise ConnectionLost(self._host) from error

    def close(self) -> None:
        """End the connection."""
        self._transport.close()

    def _taken(self) -> Any:
        if self._next:
            try:
                return self._next.result()
            except HostRefused:
                self._next = None
        return self._open()

    def _begin(self) -> Future[Any]:
        begun: Future[Any] = Future()

        def work() -> None:
            try:
                begun.set_result(self._open())
            except BaseException as error:  # noqa: BLE001 - `take` raises it
                begun.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return begun

    def _open(self) -> Any:
        try:
            return self._transport.open_session(timeout=OPEN)
        except paramiko.ChannelException as error:
            why = "its sshd does not allow so many at once (MaxSessions)"
            raise HostRefused(self._host, "Opening a session", why) from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ConnectionLost(self._host) from error


def begin_line(session: Any, line: str) -> None:
    """Have a fresh session run a line, in the place of its login shell.

    The host's answer is not waited for: a round trip less than `run_line`, where the
    program has no stdin: paramiko sends none before the host has room for it.
    Where the host refuses, the session ends without a greeting.
    """
    order = paramiko.Message()
    order.add_byte(paramiko.common.cMSG_CHANNEL_REQUEST)
    order.add_int(session.remote_chanid)
    order.add_string("exec")
    order.add_boolean(True)  # noqa: FBT003 - an answer is wanted
    order.add_string(f"exec {line}")
    transport = session.get_transport()
    # As paramiko's exec_command does, which waits for the answer, too.
    answered(transport, lambda: transport._send_user_message(order))
