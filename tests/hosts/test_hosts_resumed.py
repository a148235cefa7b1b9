"""What was brought to a host stays there, however the run ends: the next goes on."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dbpull.console import Reporter
from dbpull.dumps.on_host import HostStore
from dbpull.dumps.store import ANEW, RESUMES
from dbpull.errors.archive import BadDump
from dbpull.errors.download import ObjectChanged
from dbpull.hosts.connect import connect
from dbpull.hosts.curl import Curl
from dbpull.hosts.host import Host
from dbpull.hosts.transfer import HostTransfer
from dbpull.sources.dumped import dumped
from dbpull.sources.source import ByUrl
from faulty_stand_in import StandIn, faults
from machines import Machine, fab, introduce, start_fab
from projects import Project, Run
from range_server import RangeServer, after, then
from silences import until
from tap import Tap
from targets import Target
from worlds import BLOBS, World

HALF = 9_000_000
RATE = 6_000_000
LOOK = 512  # bytes to learn which object it is
LOST = 1_000_000  # bytes that may be on their way when curl is ended
CONTENT = random.Random(5).randbytes(3_000_000)
ENDS: dict[str, Callable[[Run, Machine], object]] = {
    "Ctrl-C": lambda run, _: run.signal(signal.SIGINT),
    "kill -9": lambda run, _: run.process.kill(),
    "a cut connection": lambda _, machine: machine.cut(),
}
"""What ends differently each way; the other signals are as Ctrl-C."""
AT_WORK = """
select (select count(*) from pg_locks where locktype = 'advisory')
  + (select count(*) from pg_database where datname like '%\\_\\_dbpull\\_new')
"""
"""How many locks there are of runs, and databases that a run still has to drop."""


def brought(machine: Machine) -> int:
    """The bytes of the part on a machine."""
    parts = (machine.home / ".dbpull/dumps").glob("*.part")
    return max((part.stat().st_size for part in parts), default=0)


def let_go(world: World) -> None:
    """Wait until the target is nobody's: a host learns of a killed run a moment later.

    Then it takes the lock once more, to drop what that run had begun. The part may be
    held still: for that the next run waits.
    """
    until(lambda: world.modern.sql("postgres", AT_WORK) == "0")


def arrived(machine: Machine, world: World) -> bool:
    """Whether the dump on a machine is the source's."""
    [dump] = (machine.home / ".dbpull/dumps").glob("*.dump")
    return dump.read_bytes() == (world.dumps / "bulk.dump").read_bytes()


# Ctrl-C during a download is in test_hosts_failing.
@pytest.mark.parametrize(
    ("end", "then"), [("kill -9", "db.pull"), ("a cut connection", "db.fetch")]
)
def test_what_a_host_has_downloaded_stays(
    world: World,
    project: Project,
    heroku: StandIn,
    target: Target,
    devbox: Machine,
    end: str,
    then: str,
) -> None:
    introduce(Path(project.environment["HOME"]), devbox)
    size = (world.dumps / "bulk.dump").stat().st_size
    heroku.misbehave(faults.hang(at=HALF + LOST, host="download", times=None))
    run = start_fab(project, "devbox", "db.pull", "--app=bulk-eu")
    run.until(lambda: brought(devbox) > HALF)
    ENDS[end](run, devbox)
    assert run.end().code
    devbox.settled()  # or what goes on hanging would bring it more
    heroku.behave()
    let_go(world)

    ended = fab(project, "devbox", then, "--app=bulk-eu").succeeds()

    assert "of it were there from an earlier run" in ended.err
    assert heroku.total("download").sent <= size + 2 * LOOK + LOST
    assert arrived(devbox, world)
    if then == "db.pull":
        assert target.sql(BLOBS) == world.modern.sql("bulk", BLOBS)


@pytest.mark.parametrize(
    ("end", "then"), [("Ctrl-C", "db.pull"), ("a cut connection", "db.fetch")]
)
def test_what_was_sent_to_a_host_stays(
    world: World,
    project: Project,
    heroku: StandIn,
    target: Target,
    devbox: Machine,
    end: str,
    then: str,
) -> None:
    upload = ("--app=bulk-eu", "--upload")
    home = Path(project.environment["HOME"])
    with Tap(devbox, rate=RATE) as slow:
        introduce(home, slow.machine)
        run = start_fab(project, "devbox", "db.pull", *upload)
        run.until(lambda: brought(devbox) > HALF)
        ENDS[end](run, devbox)
        assert run.end().code
    heroku.forget_requests()
    let_go(world)

    with Tap(devbox) as tap:
        introduce(home, tap.machine)
        ended = fab(project, "devbox", then, *upload).succeeds()

    size = (world.dumps / "bulk.dump").stat().st_size
    assert heroku.total("download").requests == 0
    assert "of it were there from an earlier run" in ended.err
    assert tap.passed < (size - HALF) * 1.2
    assert arrived(devbox, world)
    if then == "db.pull":
        assert target.sql(BLOBS) == world.modern.sql("bulk", BLOBS)


# Which object a part is of


@pytest.fixture
def remote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, devbox: Machine
) -> Iterator[Host]:
    """The machine, worked on as `fab -H` does."""
    fabric = pytest.importorskip("fabric")
    monkeypatch.setenv("HOME", str(tmp_path))
    introduce(tmp_path, devbox)
    with connect(fabric.Connection(devbox.name), print) as remote:
        yield remote


@pytest.fixture
def host() -> Iterator[RangeServer]:
    with RangeServer(CONTENT) as host:
        yield host


@contextmanager
def arriving(remote: Host, host: RangeServer) -> Iterator[HostTransfer]:
    curl = Curl(remote, host.url, print)
    with HostTransfer(remote, f"{remote.home}/dumps/b1.dump", curl) as arrival:
        yield arrival


def leave_half(remote: Host, host: RangeServer) -> None:
    """Have a run that is ended in the midst of a download."""
    host.pace = 0.02
    with arriving(remote, host) as arrival:
        arrival.reach(len(CONTENT) // 2)
    host.pace = 0
    host.log.clear()


def finished(remote: Host, host: RangeServer) -> int:
    """Download it; the bytes that were there already."""
    with arriving(remote, host) as arrival:
        arrival.finish()
    there = Path(arrival.path).read_bytes()
    assert (there == host.content) is True  # pytest takes minutes to show megabytes
    return arrival.already


def test_the_same_object_is_gone_on_with(remote: Host, host: RangeServer) -> None:
    host.etag = 'W/"one"'
    leave_half(remote, host)

    already = finished(remote, host)

    assert already >= len(CONTENT) // 2
    assert host.sent == LOOK + len(CONTENT) - already


@pytest.mark.parametrize(("before", "after"), [("", ""), ('"one"', '"two"')])
def test_another_object_of_the_same_size_never_is(
    remote: Host, host: RangeServer, before: str, after: str
) -> None:
    host.etag = before
    leave_half(remote, host)
    host.content, host.etag = CONTENT[::-1], after

    assert finished(remote, host) == 0


@pytest.mark.parametrize(("etag", "stays"), [('"one"', RESUMES), ("", ANEW)])
def test_what_stays_is_said(
    remote: Host, host: RangeServer, etag: str, stays: str
) -> None:
    host.etag = etag
    backup = dumped("shop", "b1", datetime.now(UTC), ByUrl(host.url))
    settings: Any = SimpleNamespace(path=Path(remote.home, "dumps"), database="DB")
    reporter = Reporter(remote.host)
    reporter.on_failure("It was.", RESUMES)

    fetching = HostStore(settings, remote).fetch(backup, reporter)

    with pytest.raises(BadDump), fetching:
        pass
    assert reporter.state_on_failure == f"It was. {stays}"


@pytest.mark.parametrize(
    ("content", "etag"),
    [
        (CONTENT[::-1], '"two"'),
        (CONTENT[::-1], 'W/"two"'),
        (CONTENT + b"more", ""),
    ],
)
def test_one_that_changes_while_it_arrives_is_begun_anew_by_the_next_run(
    remote: Host, host: RangeServer, content: bytes, etag: str
) -> None:
    host.etag = etag.replace("two", "one")
    host.cuts, host.cut_after = 1, len(CONTENT) // 3

    def change() -> None:
        host.content, host.etag = content, etag

    # The first request is a look, the second is cut.
    host.faults = [after(2, then(change))]

    with arriving(remote, host) as arrival, pytest.raises(ObjectChanged):
        arrival.finish()

    assert finished(remote, host) == 0
