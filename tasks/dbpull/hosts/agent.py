"""The agent on a host: holds a run's folder, and cleans up after the run's end."""

from __future__ import annotations

import shlex
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbpull.errors.hosts import ConnectionLost, RemoteError, UnusableHost
from dbpull.hosts.channel import Channel, answered, close, run_line
from dbpull.hosts.encoded import encoded

# One line, so that csh takes it, too. It makes the run's folder, private, with the
# script, the machine and the agent's pid: by these two the next run recognises a folder
# that a killed run has left.
_BOOT = (
    'umask 077; run=$HOME/.dbpull/run.$1; mkdir -p "$HOME/.dbpull" && mkdir "$run"'
    " && { uname -n; readlink /proc/self/ns/pid 2>/dev/null; cat /dev/null; }"
    ' >"$run/machine" && echo $$ >"$run/keeper" && head -c "$2" >"$run/host.sh"'
    ' && shift 2 && exec sh "$run/host.sh" serve "$run" "$@"; rm -rf "$run"; exit 1'
)
BEAT = 10.0
"""Seconds between two signs of life (beats)."""
SILENCE = 45
"""Seconds without a beat after which each side counts the other as lost."""
FIRST_ANSWER = 30.0
LAST_ANSWER = 60.0


def script() -> bytes:
    """The shell script that runs on a host."""
    folder = Path(__file__).parent
    names = "dumps.sh", "processes.sh", "host.sh"
    return b"".join((folder / name).read_bytes() for name in names)


def boot(name: str, size: int, *wanted: str) -> list[str]:
    """The agent's command; it reads `size` bytes of script from its stdin first.

    `wanted` as in HostAgent.
    """
    return ["sh", "-c", _BOOT, "dbpull", name, str(size), str(SILENCE), *wanted]


class HostAgent:
    """The first program of a run on a host, and the last to end."""

    def __init__(
        self, host: str, session: Any, lost: Callable[[], None], *wanted: str
    ) -> None:
        """Start the agent in a fresh session. Raises UnusableHost, ConnectionLost.

        A thread calls `lost` where the host has fallen silent. `wanted` are the words
        of host.sh's `find`, which is done at once: it saves a round trip.
        """
        self._host, self._lost, self._wanted = host, lost, wanted
        self.programs: list[str] = []
        """The answer of `find`: a line for each program."""
        self._closing = threading.Event()
        self._telling = threading.Lock()
        self._transport = session.get_transport()
        try:
            self._channel = self._start(session)
            self.facts = self._read_facts()
            """The host's facts: `run`, `cores`, `login`, `home`, `curl`."""
        except BaseException:
            close(session)
            raise
        # Two threads: writing blocks with a host that reads nothing any more.
        for work in (self._beat, self._listen):
            threading.Thread(target=work, daemon=True).start()

    def put(self, name: str, text: str) -> None:
        """Have the agent write a file of the run; do not wait.

        What is sent later, by any session, finds the agent told: one connection keeps
        the order.
        """
        self._tell_soon(f"file {name} {encoded(text)}")

    def forget(self, name: str) -> None:
        """Have the agent remove a file `on_disconnect.…` of the run; do not wait."""
        self._tell_soon(name)

    def close(self) -> None:
        """Have the agent clean up, and wait for its end. Raises ConnectionLost."""
        self._closing.set()
        self._channel.end_stdin()
        ended = self._channel.over(LAST_ANSWER)
        if not ended or self._channel.code is None:
            raise ConnectionLost(self._host)

    def _start(self, session: Any) -> Channel:
        text = script()
        line = shlex.join(boot(uuid.uuid4().hex, len(text), *self._wanted))
        timer = threading.Timer(FIRST_ANSWER, self._lost)
        timer.daemon = True
        timer.start()
        try:
            run_line(session, line)
        except Exception as error:
            if session.get_transport().is_active():
                why = "its SSH server runs no commands"
                raise UnusableHost(self._host, why) from error
            raise ConnectionLost(self._host) from error
        finally:
            timer.cancel()
        channel = Channel(session)
        channel.write(text)
        return channel

    def _read_facts(self) -> dict[str, str]:
        facts: dict[str, str] = {}
        while line := self._channel.line(seconds=FIRST_ANSWER):
            name, _, value = line.decode(errors="replace").rstrip("\n").partition(" ")
            if name == "ready":
                return facts
            if name == "program":
                self.programs.append(value)
            else:
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
            self._tell("beat")

    def _tell(self, line: str) -> None:
        with self._telling:
            self._channel.write(f"{line}\n".encode())

    def _tell_soon(self, line: str) -> None:
        """Tell the agent; a signal does not break off what is being sent."""
        try:
            answered(self._transport, lambda: self._tell(line))
        except EOFError as error:
            raise ConnectionLost(self._host) from error

    def _listen(self) -> None:
        while self._channel.line(seconds=BEAT + SILENCE):
            pass
        if not self._closing.is_set():
            self._lost()
