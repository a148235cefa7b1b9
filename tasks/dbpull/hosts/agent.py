"""The keeper on a host: holds a run's folder there, and cleans up when we are gone."""

from __future__ import annotations

import shlex
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbpull.errors.hosts import ConnectionLost, RemoteError, UnusableHost
from dbpull.hosts.channel import Channel

# One line, so that csh takes it, too: a folder nobody else can enter, in it the machine
# and the number of its keeper, by which the next run knows whether it is left over, and
# the script.
_BOOT = (
    'umask 077; run=$HOME/.dbpull/run.$1; mkdir -p "$HOME/.dbpull" && mkdir "$run"'
    " && { uname -n; readlink /proc/self/ns/pid 2>/dev/null; cat /dev/null; }"
    ' >"$run/machine" && echo $$ >"$run/keeper" && head -c "$2" >"$run/host.sh"'
    ' && exec sh "$run/host.sh" keep "$run" "$3"; rm -rf "$run"; exit 1'
)
BEAT = 10.0
"""Seconds between two signs of life."""
SILENCE = 45
"""Seconds without one after which either side counts the other as lost."""
FIRST_ANSWER = 30.0
LAST_ANSWER = 60.0


def script() -> bytes:
    """What runs on a host."""
    folder = Path(__file__).parent
    names = "dumps.sh", "processes.sh", "host.sh"
    return b"".join((folder / name).read_bytes() for name in names)


def boot(name: str, size: int) -> list[str]:
    """The command that takes so many bytes of script on stdin, and is the keeper."""
    return ["sh", "-c", _BOOT, "dbpull", name, str(size), str(SILENCE)]


class HostAgent:
    """The first program of a run on a host, and its last."""

    def __init__(self, host: str, session: Any, lost: Callable[[], None]) -> None:
        """Start it on a fresh session. Raises UnusableHost, ConnectionLost.

        `lost` is called by a thread where the host has fallen silent.
        """
        self._host, self._lost = host, lost
        self._closing = threading.Event()
        try:
            self._channel = self._begun(session)
            self.facts = self._answered()
            """What the host is: `run`, `cores`, `login`, `home`, `curl`."""
        except BaseException:
            session.close()
            raise
        # Two: with a host that takes nothing any more, saying something blocks.
        for work in (self._beat, self._listen):
            threading.Thread(target=work, daemon=True).start()

    def close(self) -> None:
        """Let it clean up, and wait until it has. Raises ConnectionLost."""
        self._closing.set()
        self._channel.end_stdin()
        ended = self._channel.over(LAST_ANSWER)
        if not ended or self._channel.code is None:
            raise ConnectionLost(self._host)

    def _begun(self, session: Any) -> Channel:
        text = script()
        line = shlex.join(boot(uuid.uuid4().hex, len(text)))
        patience = threading.Timer(FIRST_ANSWER, self._lost)
        patience.daemon = True
        patience.start()
        try:
            session.exec_command(f"exec {line}")
        except Exception as error:
            if session.get_transport().is_active():
                why = "its SSH server runs no commands"
                raise UnusableHost(self._host, why) from error
            raise ConnectionLost(self._host) from error
        finally:
            patience.cancel()
        channel = Channel(session)
        channel.write(text)
        return channel

    def _answered(self) -> dict[str, str]:
        facts: dict[str, str] = {}
        while line := self._channel.line(seconds=FIRST_ANSWER):
            name, _, value = line.decode(errors="replace").rstrip("\n").partition(" ")
            if name == "ready":
                return facts
            facts[name] = value
        raise self._unusable()

    def _unusable(self) -> RemoteError:
        if not self._channel.over():
            return UnusableHost(self._host, "its shell does not answer")
        if self._channel.code is None:
            return ConnectionLost(self._host)
        why = self._channel.refusal or "its shell ended at once"
        return UnusableHost(self._host, why)

    def _beat(self) -> None:
        while not self._closing.wait(BEAT):
            self._channel.write(b"beat\n")

    def _listen(self) -> None:
        while self._channel.line(seconds=BEAT + SILENCE):
            pass
        if not self._closing.is_set():
            self._lost()
