"""Token, passwords and presigned URLs: in no output, no command line, no file."""

from __future__ import annotations

import threading
from pathlib import Path

from faulty_stand_in import StandIn, faults
from projects import Project
from targets import Target
from worlds import World

SIGNATURE = b"X-Amz-"


class CommandLines(threading.Thread):
    """Reads every process's command line, over and over."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.seen: set[bytes] = set()
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue

    def __enter__(self) -> CommandLines:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()


def test_a_pull_shows_its_secrets_to_nobody(
    world: World, project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(faults.cut(at=50_000), faults.expire(skip=1))
    # Runs are checked for these in all they print; this one prints every command.
    assert world.modern.password in project.secrets

    with CommandLines() as lines:
        ended = project.invoke("--echo", "db.pull", "--app=secret").succeeds()

    assert "pg_restore" in ended.err
    ours = [line for line in lines.seen if target.name.encode() in line]
    assert any(b"pg_restore" in line for line in ours)
    for secret in (*(secret.encode() for secret in world.secrets), SIGNATURE):
        assert not any(secret in line for line in ours)
        assert _files_with(secret, project) == []


def test_what_a_failed_pull_leaves_holds_no_secret(
    world: World, project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(faults.hang(at=9_000_000, times=None))
    run = project.start("--debug", "db.pull", "--app=bulk-eu")
    run.until(lambda: heroku.total("download").sent >= 9_000_000)
    run.process.kill()
    run.end()

    assert len(project.dumps()) == 2
    for secret in (*(secret.encode() for secret in world.secrets), SIGNATURE):
        assert _files_with(secret, project) == []


def _files_with(secret: bytes, project: Project) -> list[Path]:
    home = Path(project.environment["HOME"])
    files = [*project.folder.rglob("*"), *home.rglob("*")]
    return [path for path in files if path.is_file() and secret in path.read_bytes()]
