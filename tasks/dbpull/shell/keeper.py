"""The keeper on a host: holds a run's folder there, and cleans up when we are gone."""

from __future__ import annotations

import shlex
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dbpull.errors.remote import ConnectionLost, UnusableHost
from dbpull.shell.channel import Channel

SCRIPT = Path(__file__).with_name("host.sh")
# One line, so that csh takes it, too: a folder nobody else can enter, and the script.
_BOOT = (
    'umask 077; mkdir -p "$HOME/.dbpull"; run=$HOME/.dbpull/run.$1; mkdir "$run"'
    ' && head -c "$2" >"$run/host.sh" && exec sh "$run/host.sh" keep "$run" "$3"'
)
BEAT = 10.0
"""Seconds between two signs of life."""
SILENCE = 45
"""Seconds without one after which either side counts the other as lost."""
FIRST_ANSWER = 30.0
LAST_ANSWER = 60.0


class Keeper:
    """The first program of a run on a host, and its last."""

    def __init__(self, host: str, session: Any, lost: Callable[[], None]) -> None:
        """Start it on a fresh session. Raises UnusableHost.

        `lost` is called by a thread where the host has fallen silent.
        """
        script = SCRIPT.read_bytes()
        words = ("sh", "-c", _BOOT, "dbpull", uuid.uuid4().hex, str(len(script)))
        session.exec_command(f"exec {shlex.join([*words, str(SILENCE)])}")
        self._host, self._lost = host, lost
        self._channel = Channel(session)
        self._channel.say(script)
        self.facts = self._answered()
        """What the host is: `run`, `cores`, `login`, `home`, `curl`."""
        self._closing = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def close(self) -> None:
        """Let it clean up, and wait until it has. Raises ConnectionLost."""
        self._closing.set()
        self._channel.end_stdin()
        while self._channel.line(seconds=LAST_ANSWER):
            pass
        if self._channel.code is None:
            raise ConnectionLost(self._host)

    def _answered(self) -> dict[str, str]:
        facts: dict[str, str] = {}
        while line := self._channel.line(seconds=FIRST_ANSWER):
            name, _, value = line.decode(errors="replace").rstrip("\n").partition(" ")
            if name == "ready":
                return facts
            facts[name] = value
        why = "its shell does not answer"
        self._channel.close()
        raise UnusableHost(self._host, why)

    def _beat(self) -> None:
        while not self._closing.wait(BEAT):
            self._channel.say(b"beat\n")
            if not self._channel.line(seconds=SILENCE):
                break
        if not self._closing.is_set():
            self._lost()
