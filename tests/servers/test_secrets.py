"""Token, passwords and presigned URLs: in no output, no command line, no file."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from faulty_stand_in import StandIn, faults
from killed import settled
from projects import Project
from targets import Target
from worlds import World

SIGNATURE = b"X-Amz-"
WRITING = """#!/bin/sh
printf '%s\\n' "pg_restore $*" >>{lines}
exec {real} "$@"
"""
"""A pg_restore that writes its command line down: /proc is looked at now and then."""


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


def writing(world: World, folder: Path) -> tuple[str, Path]:
    """A PATH whose pg_restore writes its command lines to a file, and the file."""
    program, lines = folder / "bin" / "pg_restore", folder / "lines"
    program.parent.mkdir()
    real = world.modern.program("pg_restore")
    program.write_text(WRITING.format(real=real, lines=lines))
    program.chmod(0o755)
    return f"{program.parent}{os.pathsep}{os.environ['PATH']}", lines


def test_a_pull_shows_its_secrets_to_nobody(
    world: World, project: Project, heroku: StandIn, target: Target, tmp_path: Path
) -> None:
    heroku.misbehave(faults.cut(at=50_000), faults.expire(skip=1))
    # Runs are checked for these in all they print; this one prints every command.
    assert world.modern.password in project.secrets

    path, written = writing(world, tmp_path)
    with CommandLines() as lines:
        pull = ("--echo", "db.pull", "--app=secret")
        ended = project.invoke(*pull, PATH=path).succeeds()

    assert "pg_restore" in ended.err
    seen = lines.seen.union(written.read_bytes().splitlines())
    ours = [line for line in seen if target.name.encode() in line]
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
    settled(run, world.modern)

    assert len(project.dumps()) == 2
    for secret in (*(secret.encode() for secret in world.secrets), SIGNATURE):
        assert _files_with(secret, project) == []


def _files_with(secret: bytes, project: Project) -> list[Path]:
    home = Path(project.environment["HOME"])
    files = [*project.folder.rglob("*"), *home.rglob("*")]
    return [path for path in files if path.is_file() and secret in path.read_bytes()]
