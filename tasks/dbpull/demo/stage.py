"""The stage of the demo: a project, a throwaway PostgreSQL, a stand-in for Heroku.

The PostgreSQL has the databases of two made-up Heroku apps, `shop` and
`shop-staging-eu`, and a developer's old database, the target.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Container
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from dbpull.demo import apps, project, shop
from dbpull.demo.heroku import StandIn
from dbpull.demo.teardown import PREFIX, STAND_IN, is_stage, server_of, teardown
from dbpull.demo.watcher import Watcher
from dbpull.embedded import Server

TARGET = "shop_development"
STAGING_SCALE = 0.3
STDERR = 2
HIDDEN = ("HEROKU_", "INVOKE_", "FABRIC_", "PG")
GRACES = ((signal.SIGINT, 15.0), (signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0))
"""Seconds that a command gets to end itself, after each signal."""


class Stage:
    """A stage, up while in its context.

    Leaving the context removes the stage; where this process is killed, the watcher
    removes it. With `keep`, a file's path, the stage stays when the context is left
    without an error; the file then names its folder, for `stop`. `say` gets lines about
    the progress. `scale` is the production database's, see `shop.fill`.

    Raises the errors of `dbpull.errors.embedded` and `dbpull.errors.stand_in`.
    """

    def __init__(
        self,
        say: Callable[[str], None],
        *,
        scale: float = 1.0,
        keep: Path | None = None,
    ) -> None:
        self._say = say
        self._scale = scale
        self._keep = keep
        self._attached = ExitStack()

    folder: Path
    """The project's folder, in which `run` runs commands."""
    server: Server
    stand_in: StandIn

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        try:
            self._watcher = Watcher(self.folder)
        except BaseException:
            self.folder.rmdir()
            raise
        try:
            self._put_up()
        except BaseException:
            self._strike()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._keep and kind is None:
            _note(self._keep, self.folder)
            self._watcher.dismiss()
        else:
            self._strike()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that let any client talk to the stand-in, and the target's URL.

        The project's .env has them, too.
        """
        url = self.server.url(TARGET)
        return {**self.stand_in.environment, "DATABASE_URL": url}

    def run(self, *words: str) -> int:
        """Run `invoke` with these words in the project, on this terminal.

        All its output goes to stderr. Returns its exit code. On Ctrl-C the command
        cleans up first; KeyboardInterrupt is raised when the command has ended.
        """
        process = subprocess.Popen(
            [sys.executable, "-m", "invoke", *words],
            cwd=self.folder,
            env=_without(self.environment),
            stdout=STDERR,
        )
        self._watcher.tell(f"run {process.pid}")
        try:
            code = process.wait()
        except BaseException:
            _end(process)
            raise
        finally:
            self._watcher.tell("ran")
        if code == -signal.SIGINT:
            raise KeyboardInterrupt
        return code

    def _put_up(self) -> None:
        project.write(self.folder, production=apps.PRODUCTION, staging=apps.STAGING)
        self.server = server_of(self.folder)
        self._say(f"Starting a throwaway PostgreSQL {self.server.version}")
        self.server.start()
        self._say(f"Filling a made-up shop and a developer's old {TARGET}")
        self._fill()
        self._say("Starting a stand-in for Heroku with a few backups of the shop")
        config = apps.config(self.server, self.folder / "stand-in")
        state = self.folder / STAND_IN
        detach = self._keep is not None
        self.stand_in = StandIn.start(config, detach=detach, state=state)
        self._attached.callback(self.stand_in.stop)
        project.write_environment(self.folder, self.environment)

    def _fill(self) -> None:
        """Fill the three databases at once: each takes one core."""
        pool = ThreadPoolExecutor(3)
        small = self._scale * STAGING_SCALE
        filling: list[Future[None]] = [
            pool.submit(shop.fill, self.server, apps.PRODUCTION, scale=self._scale),
            pool.submit(shop.fill, self.server, apps.STAGING, scale=small),
            pool.submit(shop.fill_development, self.server, TARGET),
        ]
        try:
            for future in filling:
                future.result()
        finally:
            # After an error, the other fills end with the server.
            pool.shutdown(wait=False, cancel_futures=True)

    def _strike(self) -> None:
        """Remove the stage; the watcher finishes an interrupted removal."""
        self._attached.close()
        teardown(self.folder)
        self._watcher.dismiss()


def kept(state: Path) -> Path | None:
    """The project folder of the stage that a state file names; None without one."""
    try:
        folder = Path(json.loads(state.read_text(encoding="utf-8"))["folder"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return folder if is_stage(folder) else None


def stop(state: Path) -> bool:
    """Remove the stage that a state file names, and the file.

    False where the stage was gone already.
    """
    folder = kept(state)
    if folder:
        teardown(folder)
    state.unlink(missing_ok=True)
    return folder is not None


def stop_in(folder: Path) -> bool:
    """Remove a stage by its folder; False where the folder is no stage."""
    if not is_stage(folder):
        return False
    teardown(folder)
    return True


def _without(names: Container[str]) -> dict[str, str]:
    """The user's environment, without the variables that the stage's .env sets."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(HIDDEN) and name not in names
    }


def _note(state: Path, folder: Path) -> None:
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text(json.dumps({"folder": str(folder)}), encoding="utf-8")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a command's end; then end the command by ever harder signals.

    Ctrl-C on the shared terminal has reached the command already; a signal to this
    process alone has not.
    """
    for number, grace in ((0, 5.0), *GRACES):
        if number:
            process.send_signal(number)
        try:
            process.wait(grace)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            continue
        return
