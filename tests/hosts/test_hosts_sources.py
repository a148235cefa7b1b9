"""`fab -H devbox,buildbox db.pull --source=…`: each kind of source, for hosts."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from choices import in_turn
from databases import NO_OLD, OLD
from dbpull import archive
from dbpull.archive.from_folder import FolderFiles
from machines import Machine, fab, introduce
from once import once
from packings import PACKINGS, dumped
from projects import Project
from range_server import RangeServer
from targets import Target, Watched
from worlds import World

pytestmark = [
    pytest.mark.skipif(not OLD, reason=NO_OLD),
    pytest.mark.usefixtures("sent"),
]
BOTH = "devbox,buildbox"
SCRIPT = """
create table customers as
  select id, 'customer ' || id as name from generate_series(1, 99) id;
alter table customers add primary key (id);
create table orders as
  select id, md5(id::text) || md5('-' || id) as word, 1 + id % 99 as customer
  from generate_series(1, 4000) id;
alter table orders add foreign key (customer) references customers;
create view named as
  select word, name from orders join customers on customer = customers.id;
"""
"""Two tables: that all of a database comes is `test_every_source.py`'s matter."""


@pytest.fixture
def old(world: World) -> Watched:
    """The source: a server whose dumps both machines' pg_restore can read."""
    return world.others[int(OLD)]


@pytest.fixture(scope="module")
def sent(world: World) -> Iterator[None]:
    """Its database `sent`: little, but more than one block of a dump."""
    server = world.others[int(OLD)]
    server.database(SCRIPT, name="sent")
    yield
    server.drop_like("sent")


@pytest.fixture
def targets(
    world: World, old: Watched, make_target: Callable[..., Target]
) -> dict[str, Target]:
    """One for each machine, on a server of its own."""
    return {"devbox": make_target(), "buildbox": make_target(old)}


@pytest.fixture
def project(
    make_project: Callable[..., Project],
    targets: dict[str, Target],
    devbox: Machine,
    buildbox: Machine,
) -> Project:
    """A project that names a target for each."""
    made = make_project()
    introduce(Path(made.environment["HOME"]), devbox, buildbox)
    hosts = "".join(
        f"    {name}: {{target: '{target.url}'}}\n" for name, target in targets.items()
    )
    made.configure(f"db:\n  hosts:\n{hosts}")
    return made


def equal(world: World, old: Watched, targets: dict[str, Target]) -> None:
    """Assert that each target holds what the source holds, and kept the old one."""
    programs = world.modern.folder
    source = old.likeness("sent", programs)
    for target in targets.values():
        assert target.postgres.likeness(target.name, programs) == source
        assert target.family == {"target", "original"}


def live(old: Watched, _: Path) -> str:
    return old.socket_url("sent")


def command(old: Watched, folder: Path) -> str:
    """A command that notes each of its calls."""
    dumping = f"{old.program('pg_dump')} -Fc '{live(old, folder)}'"
    return f"| echo x >>{folder}/calls; {dumping}"


def over_ssh(old: Watched, _: Path) -> str:
    return f"ssh://buildbox/sent?{old.socket}&user=postgres"


def test_one_dump_is_read_here_and_sent_to_all(
    world: World,
    project: Project,
    old: Watched,
    targets: dict[str, Target],
    tmp_path: Path,
) -> None:
    source = f"--source={command(old, tmp_path)}"

    ended = fab(project, BOTH, "db.pull", source).succeeds()

    equal(world, old, targets)
    assert len(project.dumps()) == 1
    assert ended.err.count("is read here once, and then sent by SFTP") == 1
    # It is young enough for another pull, of this machine's.
    again = fab(project, "devbox", "db.fetch", source).succeeds()
    assert "is read here" not in again.err
    assert len(project.dumps()) == 1
    assert (tmp_path / "calls").read_text() == "x\n"


@pytest.mark.parametrize("kind", [live, over_ssh])
def test_each_dump_that_a_program_prints_is_read_here_and_sent(
    project: Project,
    old: Watched,
    tmp_path: Path,
    devbox: Machine,
    kind: Callable[[Watched, Path], str],
) -> None:
    source = f"--source={kind(old, tmp_path)}"

    ended = fab(project, "devbox", "db.fetch", source).succeeds()

    assert "is read here once, and then sent by SFTP" in ended.err
    [dump] = devbox.home.rglob("*.dump")
    assert project.dumps() == [dump.name]
    assert dump.read_bytes() == (project.local / dump.name).read_bytes()


def test_nothing_stays_where_it_is_to_be_deleted(
    project: Project,
    old: Watched,
    targets: dict[str, Target],
    tmp_path: Path,
    devbox: Machine,
) -> None:
    source = f"--source={command(old, tmp_path)}"

    fab(project, "devbox", "db.pull", source, "--delete").succeeds()

    assert project.dumps() == []
    assert list(devbox.home.rglob("*.dump*")) == []


def test_only_the_newest_are_kept_here_and_there(
    project: Project,
    old: Watched,
    targets: dict[str, Target],
    tmp_path: Path,
    devbox: Machine,
) -> None:
    words = "db.pull", f"--source={command(old, tmp_path)}", "--capture", "--keep=1"

    for _ in range(2):
        fab(project, "devbox", *words).succeeds()

    kept = project.dumps()
    assert [name.split("-")[-2] for name in kept] == ["d2"]
    assert sorted(path.name for path in devbox.home.rglob("*.dump")) == kept


@pytest.fixture
def dumps(old: Watched, run_folder: Path) -> Path:
    """The source's dump in each format."""
    return once(run_folder / f"sent-{OLD}", partial(dumped, old, "sent"))


# Of what is unpacked, a file arrives or a folder: how it was packed, no host learns.
FORMATS = ["custom", "tar", "custom.gz", "folder in a tar.gz"]


@pytest.mark.parametrize(
    ("packing", "host"), in_turn(FORMATS, ["devbox", "buildbox", "buildbox", "devbox"])
)
def test_a_file_here_is_sent_and_stays(
    world: World,
    project: Project,
    old: Watched,
    targets: dict[str, Target],
    dumps: Path,
    tmp_path: Path,
    packing: str,
    host: str,
) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(PACKINGS[packing](dumps))

    source = f"--source={mine}"
    fab(project, host, "db.pull", source, "--delete").succeeds()

    equal(world, old, {host: targets[host]})
    assert mine.exists()


def test_blocks_in_another_order_are_restored_once_all_have_come(
    world: World,
    project: Project,
    old: Watched,
    targets: dict[str, Target],
    dumps: Path,
    tmp_path: Path,
) -> None:
    """As of a server that several connections have read."""
    folder = shutil.copytree(dumps / "folder", tmp_path / "folder")
    contents = archive.read(io.BytesIO((folder / "toc.dat").read_bytes()), toc=True)
    files = FolderFiles(folder)
    pieces = [files.front()]
    for entry in reversed(contents.with_data):
        pieces += files.block(entry.dump_id)
    mine = tmp_path / "mine.dump"
    mine.write_bytes(b"".join(pieces))

    fab(project, "devbox", "db.pull", f"--source={mine}", "--jobs=1").succeeds()

    equal(world, old, {"devbox": targets["devbox"]})


def test_a_folder_here_is_sent_kept_and_restored_again(
    world: World,
    project: Project,
    old: Watched,
    targets: dict[str, Target],
    dumps: Path,
    devbox: Machine,
) -> None:
    source = f"--source={dumps / 'folder'}"
    fab(project, "devbox", "db.pull", source).succeeds()

    equal(world, old, {"devbox": targets["devbox"]})
    assert project.dumps() == []
    [there] = devbox.home.rglob("*.dump*")
    assert sorted(path.name for path in there.iterdir()) == sorted(
        path.name for path in (dumps / "folder").iterdir()
    )
    assert there.stat().st_mode & 0o777 == 0o700
    listed = fab(project, "devbox", "db.backups", source).succeeds()
    assert there.name in listed.out

    again = fab(project, "devbox", "db.pull", source, "--in-place", "--delete")
    assert "is there already" in again.succeeds().err
    assert list(devbox.home.rglob("*.dump*")) == []


@pytest.mark.parametrize(
    ("packing", "ranges", "hosts"),
    [
        ("custom", True, BOTH),
        ("tar", True, "devbox"),
        ("folder in a tar.gz", True, "buildbox"),
        ("custom", False, BOTH),
    ],
)
def test_a_url_is_fetched_by_the_host_where_it_can_be(
    world: World,
    project: Project,
    old: Watched,
    targets: dict[str, Target],
    dumps: Path,
    packing: str,
    ranges: bool,
    hosts: str,
) -> None:
    with RangeServer(PACKINGS[packing](dumps), ranges=ranges) as server:
        ended = fab(project, hosts, "db.pull", f"--source={server.url()}").succeeds()

    equal(world, old, {name: targets[name] for name in hosts.split(",")})
    by_host = ranges and packing in {"custom", "tar"}
    assert ended.err.count("is read here once") == (not by_host)
    agents = {each.headers.get("User-Agent", "")[:4] for each in server.log}
    assert "curl" in agents
    assert len(project.dumps()) == (not by_host)


def test_a_plan_says_how_a_dump_gets_there(
    project: Project, old: Watched, targets: dict[str, Target], tmp_path: Path
) -> None:
    source = f"--source={command(old, tmp_path)}"

    with targets["devbox"].unasked():
        ended = fab(project, "devbox", "db.pull", source, "--dry-run").succeeds()

    assert "SFTP to devbox" in ended.err
    assert "curl" not in ended.err
    assert not (tmp_path / "calls").exists()


def test_a_command_that_fails_is_told_once(
    project: Project, targets: dict[str, Target]
) -> None:
    ended = fab(project, BOTH, "db.pull", "--source=| echo no >&2; exit 3")

    ended.refuses("failed with exit code 3: no", "Run it by itself")
    assert ended.err.count("failed with exit code 3") == 1
    for target in targets.values():
        assert (target.family, target.notes) == ({"target"}, "(1,mine)")
