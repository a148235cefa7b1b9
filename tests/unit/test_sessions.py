"""The sessions of an SSH connection that has just ended."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import paramiko
import pytest

from dbpull.hosts.channel import Channel
from dbpull.hosts.sessions import Sessions
from silences import until


def ended(error: Exception) -> Any:
    """A channel that is open still, while its connection takes no message any more."""

    def refuse(_: object) -> None:
        raise error

    session: Any = paramiko.Channel(1)
    session.transport = SimpleNamespace(_send_user_message=refuse)
    session.active, session.remote_chanid = True, 1
    return session


@pytest.mark.parametrize("error", [EOFError(), OSError("Socket is closed")])
def test_a_session_closes_quietly_though_its_connection_has_ended(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    transport: Any = SimpleNamespace(open_session=lambda timeout: ended(error))
    before = threading.active_count()
    sessions = Sessions("devbox", transport)

    Channel(sessions.take()).close()
    until(lambda: threading.active_count() == before)  # those in advance are open
    sessions.end_ahead()

    assert caplog.text == ""
