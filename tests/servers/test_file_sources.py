"""Dumps in files and at URLs: each format, each way, cut and damaged in each layer."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from choices import in_turn
from killed import noted, settled
from kinds import SQL, Kinds, everything, refuse_differences
from offered import offered
from once import once
from packings import PACKINGS, dumped, tarred
from projects import Project
from range_server import PIECE, after, only, status, unless
from silences import NEVER
from targets import Target, Watched
from worlds import ROWS, World

# Large objects, an index, a key, and rows of which half have not yet arrived, behind
# others that are here soon.
LIGHT = f"""{ROWS}
create table ahead as select g as id from generate_series(1, 3000) g;
create table marks (blob int references blobs, mark text unique);
insert into marks select id, id from blobs;
select lo_from_bytea(4711, 'a picture');
"""
SCRIPTS = {"light": LIGHT, "kinds": SQL["kinds"]}


@pytest.fixture
def on(world: World) -> Watched:
    return world.modern


@pytest.fixture
def content() -> str:
    """Which database is dumped; a test may say otherwise."""
    return "light"


@pytest.fixture
def dumps(on: Watched, content: str, run_folder: Path) -> Path:
    """A database in each of pg_dump's formats, and what it is restored to."""

    def make(half: Path) -> None:
        source = on.database(SCRIPTS[content])
        dumped(on, source, half)
        serial = Kinds(on, content, half).restored(half / "custom")
        (half / "serial").write_bytes("\n".join(serial).encode())
        on.drop_like(source)

    return once(run_folder / f"files-{content}-{on.major}", make)


@pytest.fixture
def target(make_target: Callable[..., Target], on: Watched) -> Target:
    return make_target(on)


@pytest.fixture
def refusing(make_project: Callable[..., Project], standing: Target) -> Project:
    """A project whose target no test may change."""
    return make_project(DATABASE_URL=standing.url)


def serial(dumps: Path) -> list[str]:
    """Everything in what a serial pg_restore makes of them."""
    return (dumps / "serial").read_bytes().decode().split("\n")


EACH = [
    # What a serial pg_restore makes of `custom` is another test's matter (`kinds`).
    ("tar.gz", "command", "kinds"),
    ("folder in a tar.gz", "https", "kinds"),
    *in_turn(
        ["custom", "tar", "custom in a tar", "custom in a tar.gz", "folder in a tar"],
        ["http without ranges", "command"],
        ["light"],
    ),
]
"""From a path, and on each server: hosts/test_every_source.py. Others: see below."""


@pytest.mark.parametrize(("packing", "way", "content"), EACH)
def test_all_comes_in_each_format(
    on: Watched,
    dumps: Path,
    target: Target,
    project: Project,
    tmp_path: Path,
    packing: str,
    way: str,
) -> None:
    with offered(way, PACKINGS[packing](dumps), tmp_path) as there:
        ended = project.invoke(
            "db.pull", f"--source={there.source}", **there.variables
        ).succeeds()

    refuse_differences(everything(on, target.name), serial(dumps))
    assert not [name for name in project.dumps() if not name.endswith(".dump")]
    assert len(project.dumps()) == (way != "path" or packing not in {"custom", "tar"})
    assert "SECRET" not in ended.err


def test_a_folder_is_restored_where_it_is_and_stays(
    on: Watched, dumps: Path, target: Target, project: Project, tmp_path: Path
) -> None:
    folder = shutil.copytree(dumps / "folder", tmp_path / "folder")
    before = sorted(folder.iterdir())

    words = ("db.pull", f"--source=file://{folder}", "--delete")
    ended = project.invoke(*words).succeeds()

    refuse_differences(everything(on, target.name), serial(dumps))
    project.invoke("db.restore", f"--dump={folder}", "--dry-run").succeeds()
    project.invoke("db.restore", f"--dump={folder}").succeeds()
    refuse_differences(everything(on, target.name), serial(dumps))
    assert sorted(folder.iterdir()) == before
    assert "is your own: it stays" in ended.err
    assert project.dumps() == []


@pytest.mark.parametrize(
    ("packing", "times"), [("tar", 1), ("custom.gz", 1), ("folder in a tar.gz", 2)]
)
def test_a_restore_takes_each_format_and_leaves_the_file(
    on: Watched,
    dumps: Path,
    target: Target,
    project: Project,
    tmp_path: Path,
    packing: str,
    times: int,
) -> None:
    content = PACKINGS[packing](dumps)
    (tmp_path / "latest").write_bytes(content)

    for _ in range(times):  # the second time from what is unpacked already
        project.invoke("db.restore", f"--dump={tmp_path}/latest").succeeds()

    refuse_differences(everything(on, target.name), serial(dumps))
    assert (tmp_path / "latest").read_bytes() == content


CUT = [
    "custom.gz",
    "tar.gz",
    "custom in a tar",
    "folder in a tar",
    "folder in a tar.gz",
]


HARMED = [
    *in_turn(["tar", *CUT, "custom"], ["path", "https", "command"], ["cut", "changed"]),
    ("custom", "https", "cut"),
]


@pytest.mark.parametrize(("packing", "way", "harm"), HARMED)
def test_a_dump_that_is_cut_or_damaged_in_a_layer_is_refused(
    dumps: Path,
    standing: Target,
    refusing: Project,
    tmp_path: Path,
    packing: str,
    way: str,
    harm: str,
) -> None:
    whole = PACKINGS[packing](dumps)
    middle = len(whole) * 2 // 3
    content = whole[:middle]
    if harm == "changed":
        content += bytes(byte ^ 0x5A for byte in whole[middle : middle + 2000])
        content += whole[middle + 2000 :]

    with standing.untouched(), offered(way, content, tmp_path) as there:
        words = ("db.pull", f"--source={there.source}")
        ended = refusing.invoke(*words, **there.variables)

    assert ended.code == 1
    assert not [name for name in refusing.dumps() if "unpacked" in name]
    if harm == "cut":
        assert refusing.dumps() == []
    if way == "path":
        assert (tmp_path / "latest").read_bytes() == content
        assert "remove the file" not in ended.err


def test_a_folder_that_lacks_a_file_is_refused(
    dumps: Path, standing: Target, refusing: Project, tmp_path: Path
) -> None:
    folder = shutil.copytree(dumps / "folder", tmp_path / "folder")
    largest = max(folder.glob("[0-9]*.dat.gz"), key=lambda file: file.stat().st_size)
    largest.unlink()

    with standing.unasked():
        ended = refusing.invoke("db.pull", f"--source={folder}")

    ended.refuses(f"incomplete.*{largest.stem} is missing", "Copy it once more")


def test_a_folder_whose_files_are_cut_is_refused(
    dumps: Path, standing: Target, refusing: Project, tmp_path: Path
) -> None:
    """As where it is still being written or copied; pg_restore takes each of these."""
    for pattern, share in (("[0-9]*.dat.gz", 0), ("blob_*.gz", 1), ("blobs*.toc", 0)):
        folder = shutil.copytree(dumps / "folder", tmp_path / pattern[:6])
        largest = max(folder.glob(pattern), key=lambda file: file.stat().st_size)
        os.truncate(largest, largest.stat().st_size * share // 2)

        with standing.unasked():
            ended = refusing.invoke("db.pull", f"--source={folder}")

        ended.refuses("incomplete.* is cut short", "Copy it once more")


OTHERS = [
    (b"SET x = 1;\n", "plain SQL", "pg_dump -Fc"),
    (gzip.compress(b"SET x = 1;\n" * 100), "plain SQL", "pg_dump -Fc|psql"),
    (tarred(("PG_VERSION", b"16\n")), "a physical backup", "pg_dump -Fc"),
    (b"<html>Sign in</html>", "a web page", "Accepted are"),
]
"""Of each kind one; `unit/test_layers_of_dumps.py` and `test_archive.py` know all."""


@pytest.mark.parametrize(("other", "way"), in_turn(OTHERS, ["path", "https"]))
def test_another_file_is_refused_with_what_to_do_instead(
    standing: Target,
    refusing: Project,
    tmp_path: Path,
    other: tuple[bytes, str, str],
    way: str,
) -> None:
    content, cause, remedy = other

    with standing.unasked(), offered(way, content, tmp_path) as there:
        words = ("db.pull", f"--source={there.source}")
        ended = refusing.invoke(*words, **there.variables)

    ended.refuses(cause, remedy)
    assert "remove the file" not in ended.err
    assert refusing.dumps() == []


def test_what_is_not_there_is_refused_before_anything(
    standing: Target, refusing: Project, tmp_path: Path
) -> None:

    with standing.unasked(), offered("http", b"x", tmp_path) as there:
        assert there.server
        ended = refusing.invoke("db.pull", f"--source={tmp_path}/gone")
        ended.refuses("gone.*no such file", "Name a dump that is there")
        ended = refusing.invoke("db.pull", f"--source={tmp_path}")
        ended.refuses("a folder without a dump", "Name a dump in it")
        ended = refusing.invoke("db.pull", f"--source={there.source}", "--capture")
        ended.refuses("no new backup can be taken", "Leave out --capture")
        for code, cause in ((404, "not there"), (403, "refused .* 403")):
            there.server.faults = [status(code)]
            ended = refusing.invoke("db.pull", f"--source={there.source}")
            ended.refuses(cause, "Check the URL")


def test_the_same_object_is_not_fetched_again(
    dumps: Path, target: Target, project: Project, tmp_path: Path
) -> None:
    with offered("https", PACKINGS["custom.gz"](dumps), tmp_path) as there:
        assert there.server
        words = ("db.pull", f"--source={there.source}")
        fetch = ("db.fetch", f"--source={there.source}")
        project.invoke(*fetch, **there.variables).succeeds()
        sent = there.server.sent
        project.invoke(*words, **there.variables).succeeds()
        again = there.server.sent - sent
        there.server.modified = "Sun, 29 Nov 2026 04:00:00 GMT"
        project.invoke(*fetch, **there.variables).succeeds()

    assert again == 1
    assert there.server.sent > 2 * sent
    assert len(project.dumps()) == 2


def test_a_packed_download_resumes_after_a_cut(
    on: Watched, dumps: Path, target: Target, project: Project, tmp_path: Path
) -> None:
    content = PACKINGS["folder in a tar.gz"](dumps)
    with offered("https", content, tmp_path) as there:
        assert there.server
        words = ("db.pull", f"--source={there.source}")
        there.server.cut_after, there.server.cuts = len(content) // 2, 1
        there.server.faults = [after(2, status(410))]
        first = project.invoke(*words, **there.variables)
        left = project.dumps()
        there.server.faults, sent = [], there.server.sent
        ended = project.invoke(*words, **there.variables).succeeds()

    first.refuses("not there", "Take another")
    assert [name.rpartition(".")[2] for name in left] == ["part", "journal"]
    assert "of it were here from an earlier run" in ended.err
    assert there.server.sent - sent < len(content) * 2 // 3
    refuse_differences(everything(on, target.name), serial(dumps))


def test_a_password_in_a_url_is_sent_and_never_shown(
    dumps: Path, project: Project, tmp_path: Path
) -> None:
    with offered("http", PACKINGS["custom.gz"](dumps), tmp_path) as there:
        assert there.server
        url = there.source.replace("//", "//me:s%40cret@")
        there.server.faults = [unless("Basic bWU6c0BjcmV0", status(401))]
        refused = project.invoke("db.fetch", f"--source={there.source}")
        ended = project.invoke("db.fetch", f"--source={url}").succeeds()

    refused.refuses("401", "Check the URL")
    assert "cret" not in ended.err + ended.out + "".join(project.dumps())


def test_what_a_killed_run_has_unpacked_is_removed(
    target: Target, project: Project
) -> None:
    project.local.mkdir()
    name = "x--1a2b3c-d1-20261129T030000Z.dump"
    (project.local / f"{name}.unpacked").mkdir()
    (project.local / f"{name}.unpacked" / "toc.dat").touch()

    project.invoke("db.cleanup").succeeds()

    assert project.dumps() == []


@pytest.mark.parametrize("packing", ["custom.gz", "folder in a tar.gz"])
def test_a_killed_run_is_taken_up_by_the_next(
    on: Watched,
    dumps: Path,
    target: Target,
    project: Project,
    tmp_path: Path,
    packing: str,
) -> None:
    content = PACKINGS[packing](dumps)
    with offered("https", content, tmp_path) as there:
        assert there.server
        # So much is sent, and then nothing until the kill.
        there.server.piece, there.server.pace = len(content) * 3 // 4, NEVER
        words = ("db.pull", f"--source={there.source}")
        old = target.oid
        run = project.start(*words, **there.variables)
        run.until(lambda: _taken(project) > len(content) // 4)
        run.signal(signal.SIGKILL)
        assert run.end().code == -signal.SIGKILL
        settled(run, on)
        assert target.oid == old
        kinds = {name.rpartition(".")[2] for name in project.dumps()}
        assert kinds == {"part", "journal", "unpacked"}
        there.server.piece, there.server.pace = PIECE, 0
        before = there.server.sent
        project.invoke(*words, **there.variables).succeeds()

    assert there.server.sent - before < len(content) * 3 // 4
    assert [name.rpartition(".")[2] for name in project.dumps()] == ["dump"]
    refuse_differences(everything(on, target.name), serial(dumps))


def _taken(project: Project) -> int:
    """How many bytes a next run may take up, once some of them are unpacked."""
    unpacked = any(name.endswith(".unpacked") for name in project.dumps())
    return noted(project) if unpacked else 0


FILLED = """SELECT count(*) FROM pg_class
  WHERE relkind = 'r' AND oid >= 16384 AND pg_relation_size(oid) > 0"""


@pytest.mark.parametrize("packing", ["custom.gz", "custom in a tar.gz"])
def test_a_packed_dump_is_restored_while_it_arrives(
    on: Watched,
    dumps: Path,
    target: Target,
    project: Project,
    tmp_path: Path,
    packing: str,
) -> None:
    content = PACKINGS[packing](dumps)
    with offered("https", content, tmp_path) as there:
        assert there.server
        there.server.pace = 0.5  # until the first rows are in
        words = ("db.pull", f"--source={there.source}")
        run = project.start(*words, **there.variables)
        aside = f"{target.name}__dbpull_new"
        run.until(lambda: aside in on.databases(), "aside")
        run.until(lambda: on.sql(aside, FILLED) != "0", "rows")
        assert there.server.sent < len(content)
        there.server.pace = 0
        run.end().succeeds()

    refuse_differences(everything(on, target.name), serial(dumps))


def test_a_command_is_asked_for_a_fresh_url(
    on: Watched, dumps: Path, target: Target, project: Project, tmp_path: Path
) -> None:
    content = PACKINGS["custom.gz"](dumps)
    with offered("https", content, tmp_path) as there:
        assert there.server
        signed = there.server.url("/$(wc -l <asked)?X-Amz-Signature=SECRET")
        (tmp_path / "presign").write_text(
            f'cd {tmp_path}; echo >>asked; echo "{signed}"'
        )
        there.server.faults = [only("/1", after(2, status(403)))]
        there.server.cut_after, there.server.cuts = len(content) // 2, 1
        words = ("db.pull", f"--source=$(sh {tmp_path}/presign)")
        project.invoke(*words, **there.variables).succeeds()

    asked = [request.path.partition("?")[0] for request in there.server.log]
    assert asked == ["/1", "/1", "/1", "/2"]
    refuse_differences(everything(on, target.name), serial(dumps))


def test_a_folder_that_was_packed_is_restored_in_place_too(
    on: Watched, dumps: Path, target: Target, project: Project, tmp_path: Path
) -> None:
    target.sql("DROP TABLE notes;")
    content = PACKINGS["folder in a tar.gz"](dumps)

    with offered("path", content, tmp_path) as there:
        words = ("db.pull", f"--source={there.source}", "--in-place")
        project.invoke(*words).succeeds()

    refuse_differences(everything(on, target.name), serial(dumps))
