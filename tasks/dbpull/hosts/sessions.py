"""The channels of an SSH connection; the next sessions are always opened in advance.

A program on a host costs four round trips: for its session, its start, its stdin, which
sshd takes only then, and its answer. Where host.sh has been started in the session, and
waits for the program's line, a program costs one; to get a session there takes two, so
two are kept.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any

import paramiko

from dbpull.errors.hosts import ConnectionLost, HostRefused
from dbpull.hosts.channel import answered, close
from dbpull.signals import SIGNALS

OPEN = 30.0  # seconds for a session to be opened
TRIES, PAUSE = 10, 0.1
"""sshd takes a moment to notice that a session has ended; the pauses are in seconds."""
AHEAD = 2
"""Sessions in which host.sh waits for a line."""


class Sessions:
    """Opens channels of a connection. Raises ConnectionLost, HostRefused."""

    def __init__(self, host: str, transport: paramiko.Transport) -> None:
        self._host = host
        self._transport = transport
        self._lock = threading.Lock()
        with suppress(AttributeError, OSError):  # a jump host's channel has no options
            # Our messages are small, and wanted at once.
            transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._line = ""
        self._spare = True
        """Whether the host allows sessions in advance."""
        self._ahead = deque([self._begin(self._open)])

    def take(self) -> Any:
        """Return a session for one program; the line of `run_ahead` runs in it."""
        with self._lock:
            session = self._taken()
            # On a host that allows few sessions, those in advance would be in the way.
            while self._spare and len(self._ahead) < AHEAD:
                self._ahead.append(self._begin(self._opening))
        return session

    def run_ahead(self, line: str) -> None:
        """Run a line in each session from now on, before the session is taken."""
        with self._lock:
            self._line = line
            begun = [partial(self._running, bare.result) for bare in self._ahead]
            self._ahead = deque(map(self._begin, begun))

    def sftp(self) -> paramiko.SFTPClient:
        """A channel for SFTP. Raises ConnectionLost, and the errors of paramiko."""
        for _ in range(TRIES):
            try:
                return self._sftp()
            except paramiko.SSHException as error:
                if not _is_refusal(error):
                    raise
            self.end_ahead()  # on a host that allows few sessions, they are in the way
            SIGNALS.pause(PAUSE)
        return self._sftp()

    def _sftp(self) -> paramiko.SFTPClient:
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

    def end_ahead(self) -> None:
        """Close the sessions that are open in advance, and open no more."""
        with self._lock:
            self._spare = False
            while self._ahead:
                self._ahead.pop().add_done_callback(_close)

    def _taken(self) -> Any:
        while self._ahead:
            session = None
            try:
                session = self._ahead[0].result()
            except HostRefused:
                self._spare = False
            # Not before: where a signal ends the wait, who cleans up takes it.
            self._ahead.popleft()
            if session and not session.closed:
                return session
        return self._opening()

    @property
    def _opening(self) -> Callable[[], Any]:
        """The function that opens a session: bare, or with the line of `run_ahead`."""
        return partial(self._running, self._open) if self._line else self._open

    def _running(self, opening: Callable[[], Any]) -> Any:
        """Open a session, and run the line there."""
        session = opening()
        try:
            _begin_line(session, self._line)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise ConnectionLost(self._host) from error
        return session

    def _begin(self, opening: Callable[[], Any]) -> Future[Any]:
        begun: Future[Any] = Future()

        def work() -> None:
            try:
                begun.set_result(opening())
            except BaseException as error:  # noqa: BLE001 - `take` raises it
                begun.set_exception(error)

        threading.Thread(target=work, daemon=True).start()
        return begun

    def _open(self) -> Any:
        try:
            return self._transport.open_session(timeout=OPEN)
        except (paramiko.SSHException, OSError, EOFError) as error:
            if _is_refusal(error):
                why = "its sshd does not allow so many at once (MaxSessions)"
                raise HostRefused(self._host, "Opening a session", why) from error
            raise ConnectionLost(self._host) from error


def _is_refusal(error: Exception) -> bool:
    """Whether the host refuses a session.

    paramiko keeps one reason for a connection: of two sessions that are refused at
    once, the second has none (Transport.open_channel).
    """
    refused = isinstance(error, paramiko.ChannelException)
    return refused or str(error) == "Unable to open channel."


def _close(opened: Future[Any]) -> None:
    if not opened.exception():
        close(opened.result())


def _begin_line(session: Any, line: str) -> None:
    """Have a fresh session run a line, in the place of its login shell.

    The host's answer is not waited for, in contrast to `run_line`. Where the host
    refuses, the session ends without a greeting.
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
