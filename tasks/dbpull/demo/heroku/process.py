"""A stand-in for Heroku in a process of its own, as a Python object."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import urlsplit

from dbpull.demo.heroku import detached
from dbpull.demo.heroku.config import Config
from dbpull.demo.heroku.detached import DetachedStandIn
from dbpull.demo.heroku.launch import Module, end, launch


class StandIn:
    """A running stand-in, stopped at the end of its context.

    Unless started with `detach`, it also ends with this process.
    """

    MODULE: ClassVar = Module("dbpull.demo.heroku")

    def __init__(
        self, running: DetachedStandIn, process: subprocess.Popen[bytes] | None = None
    ) -> None:
        self._running = running
        self._process = process
        self.pid = running.pid
        self.api = running.api
        self.download = running.download

    @classmethod
    def start(
        cls, config: Config, *, detach: bool = False, state: Path | None = None
    ) -> Self:
        """Start a stand-in; return when its configured dumps are made and it answers.

        With `detach` the stand-in outlives this process; `state` is the state file for
        `found` and `stop_by`. Raises `StandInNotStarted`, and OSError where the state
        file can't be written.
        """
        process, running = launch(cls.MODULE, config, detach=detach)
        started = cls(running, process)
        try:
            if state:
                detached.write(state, running)
        except OSError:
            started.stop()
            raise
        if not detach:
            return started
        _let_go(process)
        return cls(running)

    @classmethod
    def found(cls, state: Path) -> Self | None:
        """The detached stand-in that a state file names; None where it has ended."""
        running = detached.read(state)
        return cls(running) if running else None

    @classmethod
    def stop_by(cls, state: Path) -> bool:
        """Stop the stand-in that a state file names; remove its files.

        False where the stand-in had ended already.
        """
        found = cls.found(state)
        if found:
            found.stop()
        detached.clear(state)
        return found is not None

    @property
    def token(self) -> str:
        """The token that the APIs accept: a secret."""
        return self._running.token

    @property
    def ca(self) -> Path:
        """The file with the CA's certificate."""
        return Path(self._running.ca)

    @property
    def folder(self) -> Path:
        """The folder of its dumps."""
        return Path(self._running.folder)

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead any client, the Heroku CLI too, to the stand-in."""
        local = ["127.0.0.1", "localhost"]
        return {
            "HEROKU_API_KEY": self.token,
            "HEROKU_HOST": self.api,
            "HEROKU_DATA_HOST": "127.0.0.1",
            "NO_PROXY": ",".join([*local, *filter(None, [os.environ.get("NO_PROXY")])]),
            "DISABLE_TELEMETRY": "true",
            "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
            "HEROKU_DISABLE_AUTOUPDATE": "1",
            "REQUESTS_CA_BUNDLE": self._running.ca,
            "NODE_EXTRA_CA_CERTS": self._running.ca,
        }

    def stop(self) -> None:
        """End the process, and remove its folder; a second call does nothing."""
        if self._process is None:
            detached.end(self._running)
            return
        end(self._process)
        if self._running.temporary:
            shutil.rmtree(self._running.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        port = urlsplit(self.api).port
        return f"<StandIn pid {self.pid}, API port {port}>"


def _let_go(process: subprocess.Popen[bytes]) -> None:
    """Let the process outlive us."""
    if process.stdin:
        process.stdin.close()
    # Popen warns where a process is forgotten before its end.
    process.returncode = 0
