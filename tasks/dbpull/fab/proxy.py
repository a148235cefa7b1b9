"""A ProxyCommand of ~/.ssh/config: the program that brings us to a host."""

from __future__ import annotations

import os
import shlex
import time
from select import select
from typing import Any

from paramiko import ProxyCommand, SSHConfig
from paramiko.ssh_exception import ProxyCommandFailure

LAST_WORDS = 1.0
"""Seconds that it gets to say why it brings us nowhere, and to end."""


class Proxy(ProxyCommand):  # type: ignore[misc] # paramiko has no types
    """Runs it in a shell, as ssh does, and is to paramiko what a socket is."""

    def __init__(self, command: str, host: str) -> None:
        lines = f"Host *\n    ProxyCommand {command}"
        self.command = SSHConfig.from_text(lines).lookup(host)["proxycommand"]
        # A terminal's Ctrl-C goes to all that was started from it. This has to live on,
        # or nothing could be put in order on the host.
        script = f"trap '' INT HUP; exec {self.command}"
        self._ended = False
        super().__init__(shlex.join(["sh", "-c", script]))

    def send(self, content: bytes) -> Any:
        """Raises BrokenPipeError, and no error that nobody expects of a socket."""
        try:
            return super().send(content)
        except ProxyCommandFailure as error:
            raise BrokenPipeError(str(error)) from error

    def recv(self, size: int) -> bytes:
        """What has come, b"" at the end: paramiko's own would wait for ever there."""
        out = self.process.stdout
        if not select([out], [], [], self.timeout)[0]:
            raise TimeoutError
        found = os.read(out.fileno(), size)
        self._ended = not found
        return found

    def close(self) -> None:
        """End it; it may have ended, or be about to and have a word to say."""
        if self._ended:
            self._settle()
        self.process.terminate()

    def last_words(self) -> str:
        """The last that it has said on stderr: why it brings us nowhere."""
        self._settle()
        err = self.process.stderr
        os.set_blocking(err.fileno(), False)
        lines = (err.read() or b"").decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _settle(self) -> None:
        """Give it a moment: its output may have ended before its words came."""
        deadline = time.monotonic() + LAST_WORDS
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
