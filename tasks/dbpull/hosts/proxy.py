"""A ProxyCommand of ~/.ssh/config: the program that carries an SSH connection."""

from __future__ import annotations

import os
import shlex
import time
from select import select
from typing import Any

from paramiko import ProxyCommand, SSHConfig
from paramiko.ssh_exception import ProxyCommandFailure

LAST_WORDS = 1.0
"""Seconds that a failed ProxyCommand gets to print its reason, and to end."""


class Proxy(ProxyCommand):  # type: ignore[misc] # paramiko has no types
    """Runs the ProxyCommand in a shell, as ssh does; paramiko uses it as a socket."""

    def __init__(self, command: str, host: str) -> None:
        lines = f"Host *\n    ProxyCommand {command}"
        self.command = SSHConfig.from_text(lines).lookup(host)["proxycommand"]
        # A terminal's Ctrl-C goes to all programs that were started from it. The
        # ProxyCommand has to live on: the clean-up on the host needs the connection.
        script = f"trap '' INT HUP; exec {self.command}"
        self._ended = False
        super().__init__(shlex.join(["sh", "-c", script]))

    def send(self, content: bytes) -> Any:
        """Send bytes. Raises BrokenPipeError, as a socket does."""
        try:
            return super().send(content)
        except ProxyCommandFailure as error:
            raise BrokenPipeError(str(error)) from error

    def recv(self, size: int) -> bytes:
        """The received bytes, b"" at the end: there paramiko's own waits for ever."""
        out = self.process.stdout
        if not select([out], [], [], self.timeout)[0]:
            raise TimeoutError
        found = os.read(out.fileno(), size)
        self._ended = not found
        return found

    def close(self) -> None:
        """End the ProxyCommand; where its output has ended, let it end by itself."""
        if self._ended:
            self._settle()
        self.process.terminate()

    def last_words(self) -> str:
        """The last line of the program's stderr: the reason why it failed."""
        self._settle()
        err = self.process.stderr
        os.set_blocking(err.fileno(), False)
        lines = (err.read() or b"").decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _settle(self) -> None:
        """Wait a moment: its stdout may end before its stderr has the reason."""
        deadline = time.monotonic() + LAST_WORDS
        while self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
