"""Downloads that are troubled: resumed, or refused with nothing mixed up."""

from __future__ import annotations

import filecmp
from pathlib import Path

import pytest

from disks import small_disk
from faulty_stand_in import Fault, StandIn, faults
from projects import INVOKE, Project
from targets import Target
from worlds import World

BULK = ("db.pull", "--app=bulk-eu", "--connections=2")


@pytest.fixture
def bulk(world: World) -> int:
    """Bytes of the large dump."""
    return (world.dumps / "bulk.dump").stat().st_size


def _holds(world: World, target: Target, source: str = "bulk") -> bool:
    sql = "select count(*) || md5(string_agg(data, '' order by id)) from blobs;"
    return target.sql(sql) == world.modern.sql(source, sql)


@pytest.mark.parametrize(
    "fault",
    [
        faults.cut(every=2_000_000, times=10),
        faults.cut(at=3, times=3),
        faults.cut(at=300, times=3),
        faults.expire(skip=2, times=2),
    ],
    ids=["ten cuts", "in the header", "in the contents", "expired"],
)
def test_what_is_lost_on_the_way_is_fetched_again_and_no_more(
    world: World, project: Project, heroku: StandIn, bulk: int, fault: Fault
) -> None:
    heroku.misbehave(fault)

    project.invoke("db.fetch", *BULK[1:]).succeeds()

    struck = [seen for seen in heroku.requests("download") if seen.faults]
    assert len(struck) >= (fault.times or 0)
    assert bulk <= heroku.total("download").sent < 1.2 * bulk
    [dump] = project.dumps()
    assert filecmp.cmp(project.local / dump, world.dumps / "bulk.dump", shallow=False)


def test_a_connection_that_is_reset_ten_times_is_no_obstacle(
    world: World, project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(faults.cut(every=2_000_000, times=10, reset=True))

    project.invoke(*BULK).succeeds()

    struck = [seen for seen in heroku.requests("download") if seen.faults]
    assert len(struck) == 10
    assert _holds(world, target)


def test_a_few_troubles_that_pass_do_not_end_a_run(
    project: Project, heroku: StandIn
) -> None:
    heroku.misbehave(
        faults.answer(500, path="/client/*"),
        faults.answer(429, path="/client/*", retry_after=0.1, skip=1),
        faults.drop(path="*/transfers"),
        faults.answer(503, host="download"),
    )

    project.invoke("db.fetch", "--app=staging").succeeds()

    assert [name.rpartition(".")[2] for name in project.dumps()] == ["dump"]


def test_an_object_that_changes_is_fetched_from_its_start(
    world: World, project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(faults.change(str(world.dumps / "smaller.dump"), skip=1))

    ended = project.invoke("db.pull", "--app=changing").succeeds()

    assert "the dump changed there; starting over" in ended.err
    assert _holds(world, target, "smaller")


def test_in_place_an_object_that_changes_is_prepared_anew(
    world: World, project: Project, heroku: StandIn, target: Target, tmp_path: Path
) -> None:
    shop = world.modern.dump("shop", tmp_path / "shop.dump")
    heroku.misbehave(faults.change(str(shop), skip=1))

    project.invoke("db.pull", "--app=changing-in-place", "--in-place").succeeds()

    count = "select count(*) from orders;"
    assert target.sql(count) == world.modern.sql("shop", count)
    assert target.family == {"target"}


@pytest.mark.parametrize(
    ("fault", "cause", "remedy"),
    [
        (
            faults.xml_error(200, times=None),
            "no dump that pg_restore reads",
            "same command",
        ),
        (
            faults.xml_error(403, "AccessDenied", times=None),
            "refused the download with 403 .AccessDenied., with a fresh URL too",
            "clock",
        ),
        (faults.answer(404, host="download", times=None), "404|not there", "capture"),
    ],
    ids=["XML with 200", "XML with 403", "gone"],
)
def test_an_error_page_is_never_taken_for_a_dump(
    project: Project,
    heroku: StandIn,
    target: Target,
    fault: Fault,
    cause: str,
    remedy: str,
) -> None:
    heroku.misbehave(fault)

    with target.unasked():
        ended = project.invoke(*BULK)

    ended.refuses(cause, remedy)
    assert [name for name in project.dumps() if name.endswith(".dump")] == []


def test_a_file_that_was_cut_at_its_source_is_refused(
    project: Project, target: Target
) -> None:
    with target.untouched():
        ended = project.invoke("db.pull", "--app=cut-short")

    ended.refuses("cut short: it ends at byte", "same command")
    assert project.dumps() == []


def test_a_disk_that_refuses_the_dump(project: Project, target: Target) -> None:
    limited = ["sh", "-c", 'ulimit -f 1024; exec "$@"', "sh", *INVOKE, *BULK]

    with target.unasked():
        ended = project.begin(limited, None, {}).end()

    ended.refuses("can't be that large there", "db.path")


def test_a_disk_without_room_is_seen_before_anything_is_fetched(
    project: Project, heroku: StandIn, target: Target, tmp_path: Path, bulk: int
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, megabytes=16), target.unasked():
        ended = project.invoke(*BULK, f"--path={disk}/dumps")

    ended.refuses("are needed there and .* are free", "Make room")
    assert heroku.total("download").sent < bulk / 2


def test_a_dump_that_another_process_is_fetching_is_left_to_it(
    project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(faults.hang(at=5_000_000))
    first = project.start("db.fetch", "--app=bulk-eu")
    first.until(lambda: _says_whose(project))

    with target.unasked():
        ended = project.invoke(*BULK)

    ended.refuses(f"being downloaded by process {first.process.pid}", "Wait")
    heroku.behave()
    first.end().succeeds()


def _says_whose(project: Project) -> bool:
    """Whether a download's journal tells the process: it is made empty."""
    journals = project.local.glob("*.part.journal")
    return any('"pid"' in journal.read_text() for journal in journals)
