"""A project that uses dbpull, and `invoke` run in it as a user would: processes.

Every run is checked for what no run may ever do: print a traceback, a secret or a
control character, or leave a process behind.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from faulty_stand_in import StandIn
from forks import Forked, may_fork

ROOT = Path(__file__).parents[2]
HIDDEN = ("HEROKU_", "RENDER_", "INVOKE_", "FABRIC_", "DATABASE_URL", "PG")
INVOKE = [sys.executable, "-m", "invoke"]
MARK = "DBPULL_TEST_RUN"
LABEL = "Error: "
"""What an error begins with."""
PATIENCE = 60.0
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_SIGNED = re.compile(r"X-Amz-Signature=|X-Amz-Credential=")
_PASSWORD = re.compile(r"postgres(?:ql)?://(?!user:password@)[^/\s]*:[^/\s]*@")


Process = subprocess.Popen[bytes] | Forked


@dataclass
class Ended:
    """A run that has ended."""

    code: int
    out: str
    err: str

    @property
    def cause(self) -> str:
        """An error's first sentence: what happened."""
        return self.err.splitlines()[-2].removeprefix(LABEL)

    @property
    def remedy(self) -> str:
        """An error's second sentence: what to do next."""
        return self.err.splitlines()[-1]

    def refuses(self, cause: str, remedy: str, *, code: int = 1) -> None:
        """Assert that it failed, with a cause and a remedy that match these."""
        assert self.code == code, self.err
        said, label, told = self.err.rpartition(LABEL)
        assert label, self.err
        last = "\n".join((said + told).splitlines()[:-1])
        assert re.search(cause, last, re.DOTALL), self.err
        assert re.search(remedy, self.remedy), self.err

    def succeeds(self) -> Ended:
        """Assert that it did, and return it."""
        assert self.code == 0, self.err
        return self


@dataclass
class Run:
    """A run under way."""

    process: Process
    mark: str
    secrets: tuple[str, ...]
    err_file: Path
    out_file: Path
    may_leave: bool
    before: frozenset[int] = frozenset()
    """The machine's processes when it began: none of them is its."""

    @property
    def err(self) -> str:
        """What it has said so far."""
        return self.err_file.read_text(encoding="utf-8")

    def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Wait until something is so, while it runs."""
        deadline = time.monotonic() + PATIENCE
        while True:
            # Looked at first: what comes true just before its end counts.
            over = self.process.poll() is not None
            if condition():
                return
            assert not over, self.err
            assert time.monotonic() < deadline, f"{what} {self.err}"
            time.sleep(0.1)

    def says(self, text: str) -> None:
        """Wait until it has said something."""
        self.until(lambda: text in self.err, f"waiting for {text!r} in:")

    def signal(self, number: int) -> None:
        """Send it a signal, it alone, as `kill` does."""
        self.process.send_signal(number)

    def hurry(self) -> None:
        """Ctrl-C three times; again where it goes on, having heard two as one."""
        for wait in (0.2, 0.2, *[PATIENCE / 3] * 3):
            self.signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(wait)
                return

    def end(self) -> Ended:
        """Wait for its end and see that it behaved."""
        try:
            code = self.process.wait(PATIENCE)
        finally:
            self.close()
        ended = Ended(code, self.out_file.read_text(encoding="utf-8"), self.err)
        for text in (ended.out, ended.err):
            assert "Traceback" not in text, text
            assert not _CONTROL.search(text), ascii(text)
            assert not _SIGNED.search(text)
            assert not _PASSWORD.search(text)
            assert not any(secret in text for secret in self.secrets)
        if code != -signal.SIGKILL and not self.may_leave:
            assert marked(self.mark, self.before) == []
        return ended

    def close(self) -> None:
        """End it if need be; for tests that fail."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@dataclass
class Project:
    """A folder with the two files that a user copies, and an invoke.yaml."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    runs: list[Run] = field(default_factory=list)
    keeps_running: bool = False
    """Whether its runs may leave a server behind."""
    forks: bool = True
    """Whether its runs may be forks of a process that has imported all they need."""

    @classmethod
    def at(cls, folder: Path, stand_in: StandIn | None = None, **more: str) -> Project:
        """Make one; `stand_in` is its Heroku, `more` its environment."""
        folder.mkdir(parents=True)
        for name in ("tasks.py", "fabfile.py"):
            shutil.copy(ROOT / name, folder)
        home = folder.parent / f"{folder.name}-home"
        home.mkdir()
        theirs = stand_in.environment if stand_in else {}
        secrets = (stand_in.token,) if stand_in else ()
        return cls(folder, {"HOME": str(home)} | theirs | more, secrets)

    def configure(self, text: str) -> None:
        """Write its invoke.yaml."""
        (self.folder / "invoke.yaml").write_text(text, encoding="utf-8")

    @property
    def local(self) -> Path:
        """Where its dumps lie."""
        return self.folder / "local"

    def dumps(self) -> list[str]:
        """The names of its dumps, parts and journals."""
        found = (path.name for path in self.local.glob("*") if path.name[0] != ".")
        return sorted(found)

    def invoke(self, *words: str, **more: str) -> Ended:
        """Run `invoke` with these words to its end; `more` is added to its variables.

        An empty variable is taken away.
        """
        return self.start(*words, **more).end()

    def invoke_in(self, cwd: Path, *words: str) -> Ended:
        """The same, in another folder than the project's."""
        return self.begin([*INVOKE, *words], cwd, {}).end()

    def start(self, *words: str, **more: str) -> Run:
        """Start `invoke` with these words."""
        return self.begin([*INVOKE, *words], None, more)

    def begin(self, argv: list[str], cwd: Path | None, more: Mapping[str, str]) -> Run:
        """Start a program as this project's user."""
        number = len(self.runs)
        mark = f"{MARK}={uuid4()}"
        out, err = (
            Path(self.environment["HOME"]) / f"{number}.{name}"
            for name in ("out", "err")
        )
        env = self._environment(more) | dict([mark.split("=")])
        before = frozenset(pids())
        start = _forked if self.forks and may_fork(argv, env) else _started
        process = start(argv, str(cwd or self.folder), env, out, err)
        run = Run(process, mark, self.secrets, err, out, self.keeps_running, before)
        self.runs.append(run)
        return run

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        outer = {k: v for k, v in os.environ.items() if not k.startswith(HIDDEN)}
        given = {**outer, **self.environment, **more}
        return {name: value for name, value in given.items() if value}

    def close(self) -> None:
        """End what a failed test left running."""
        for run in self.runs:
            run.close()


def _forked(
    argv: list[str], cwd: str, env: dict[str, str], out: Path, err: Path
) -> Process:
    out.touch()
    err.touch()
    return Forked(argv, cwd=cwd, env=env, out=str(out), err=str(err))


def _started(
    argv: list[str], cwd: str, env: dict[str, str], out: Path, err: Path
) -> Process:
    """A program at work, with nothing to read, and files to write to."""
    with out.open("wb") as to_out, err.open("wb") as to_err:
        return subprocess.Popen(
            argv,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=to_out,
            stderr=to_err,
        )


def marked(mark: str, but: Collection[int] = ()) -> list[str]:
    """The command lines of the processes that a run has left (Linux only).

    `but` are not looked at: a hundred take as long as a run's start.
    """
    deadline = time.monotonic() + 5
    while (found := _marked(mark, but)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _marked(mark: str, but: Collection[int]) -> list[str]:
    found = []
    for pid in pids():
        if pid in but:
            continue
        try:
            # A Path for each of hundreds of processes would take as long again.
            with open(f"/proc/{pid}/environ", "rb", 0) as theirs:  # noqa: PTH123
                if mark.encode() in theirs.read():
                    argv = Path(f"/proc/{pid}/cmdline").read_text()
                    found.append(argv.replace("\0", " "))
        except OSError:
            continue  # gone, or not ours
    return found


def pids() -> list[int]:
    """The processes of this machine (Linux only)."""
    with os.scandir("/proc") as entries:
        return sorted(int(entry.name) for entry in entries if entry.name.isdigit())
