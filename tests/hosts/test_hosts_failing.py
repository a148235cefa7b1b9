"""What a host lacks and what breaks on the way: said, and the old database in place."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from databases import FOLDERS, OLD
from dbpull import archive
from faulty_stand_in import StandIn, faults
from machines import SFTP, Machine, fab, introduce, start_fab
from projects import Project, Run
from targets import Target
from worlds import BLOBS, World

DUMPS = ".dbpull/dumps"
CHUNK = 9_000_000


@pytest.fixture
def project(project: Project, devbox: Machine) -> Project:
    """One whose user knows the machine."""
    introduce(Path(project.environment["HOME"]), devbox)
    return project


def dumps(machine: Machine) -> list[Path]:
    """The dumps and parts on a machine."""
    there = machine.inside(machine.home / DUMPS)
    return sorted(p for p in there.glob("*") if p.suffix in {".dump", ".part"})


def alone(machine: Machine, target: Target) -> None:
    """Assert that nothing is at work there any more, nor half made."""
    machine.settled()
    assert target.family == {"target"}
    assert not list((machine.home / ".dbpull").glob("run.*"))


def at_work(target: Target, word: str) -> Callable[[], bool]:
    """Whether a statement with that word runs on the target's server."""
    sql = "select string_agg(query, ';') from pg_stat_activity where state = 'active'"
    sql += " and pid <> pg_backend_pid();"
    return lambda: word in target.postgres.sql("postgres", sql)


# What is missing, found before anything starts


def test_a_host_without_curl_is_told_before_anything_starts(
    project: Project,
    heroku: StandIn,
    target: Target,
    make_machine: Callable[..., Machine],
) -> None:
    machine = make_machine(name="bare", without=("curl",))
    introduce(Path(project.environment["HOME"]), machine)

    with target.unasked():
        ended = fab(project, "bare", "db.pull", "--app=refusing", "--capture")

    ended.refuses("curl was not found on bare", "apt install curl.*--upload")
    assert heroku.requests(method="POST", path="/backups") == []


def test_a_host_without_pg_restore_is_told_what_to_install(
    project: Project,
    heroku: StandIn,
    target: Target,
    make_machine: Callable[..., Machine],
) -> None:
    folders = tuple(folder for name, folder in FOLDERS.items() if name.isdigit())
    hidden = tuple({folder.parents[1] for folder in folders})
    machine = make_machine(name="bare", without=("pg_restore",), hide=hidden)
    introduce(Path(project.environment["HOME"]), machine)

    with target.unasked():
        ended = fab(project, "bare", "db.pull", "--app=refusing", "--capture")

    ended.refuses("pg_restore was not found on bare", "postgresql-client")
    assert heroku.requests(method="POST", path="/backups") == []


def test_a_pg_restore_that_is_too_old_is_told_by_the_first_bytes(
    project: Project, heroku: StandIn, target: Target, buildbox: Machine
) -> None:
    introduce(Path(project.environment["HOME"]), buildbox)
    heroku.misbehave(faults.hang(at=1_000_000, host="download", times=None))

    with target.untouched():
        ended = fab(project, "buildbox", "db.pull", "--app=bulk-eu")

    ended.refuses(
        rf"version 1\.16, which pg_restore {OLD} on buildbox", "postgresql-client-17"
    )
    assert heroku.total("download").sent < CHUNK
    alone(buildbox, target)


def test_a_disk_that_is_too_small_is_told_before_the_download(
    project: Project,
    heroku: StandIn,
    target: Target,
    make_machine: Callable[..., Machine],
) -> None:
    machine = make_machine(name="small", small_disk=30_000_000)
    introduce(Path(project.environment["HOME"]), machine)

    with target.untouched():
        ended = fab(project, "small", "db.pull", "--app=bulk-eu")

    ended.refuses(
        "dumps on small: .* MB are needed there and 30 MB are free",
        "db.hosts.small.path",
    )
    assert heroku.total("download").sent <= 512


def test_a_disk_that_fills_up_is_told_and_what_has_arrived_stays(
    project: Project,
    heroku: StandIn,
    target: Target,
    make_machine: Callable[..., Machine],
) -> None:
    machine = make_machine(name="filling", small_disk=90_000_000)
    introduce(Path(project.environment["HOME"]), machine)
    heroku.misbehave(faults.throttle(4_000_000))
    with target.untouched():
        run = start_fab(project, "filling", "db.pull", "--app=bulk-eu")
        run.until(lambda: heroku.total("download").sent > 2_000_000)
        machine.run("cat /dev/zero >.dbpull/filler")
        heroku.behave()
        ended = run.end()

    ended.refuses("failed on filling: .*", "target is as it was")
    alone(machine, target)
    [part] = dumps(machine)
    assert part.suffix == ".part"
    assert part.stat().st_size > 1_000_000


def test_a_disk_that_an_upload_does_not_fit_on_is_told_and_nothing_is_taken_for_whole(
    project: Project,
    target: Target,
    make_machine: Callable[..., Machine],
    tmp_path: Path,
) -> None:
    # As a quota would do: sftp-server may write no file larger than 10 MB. It is told
    # so, and not killed: what is sent to who has ended may end the connection.
    limited = tmp_path / "sftp-server"
    limited.write_text(f"#!/bin/sh\ntrap '' XFSZ\nulimit -f 20000\nexec {SFTP}\n")
    limited.chmod(0o755)
    subsystem = f"Subsystem sftp {limited}"
    machine = make_machine(name="small", sftp=False, sshd_config=(subsystem,))
    introduce(Path(project.environment["HOME"]), machine)

    with target.untouched():
        ended = fab(project, "small", "db.pull", "--app=bulk-eu", "--upload")

    ended.refuses("Storing the dump failed on small: ", "target is as it was")
    assert [path.suffix for path in dumps(machine)] == [".part"]
    alone(machine, target)


def test_a_dump_there_that_is_cut_short_is_told_and_what_lies_behind_one_is_no_damage(
    project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    fab(project, "devbox", "db.fetch", "--app=shop-eu").succeeds()
    [dump] = dumps(devbox)
    with dump.open("rb") as file:
        *_, before, last = archive.verify(file, archive.read(file))
    whole = dump.read_bytes()
    # In the midst of a table's rows, and between two tables.
    for end in (last.end - 1, before.end):
        os.truncate(dump, end)

        with target.unasked():
            ended = fab(project, "devbox", "db.pull", "--app=shop-eu")

        ended.refuses("shop-eu-b101-.*.dump is cut short", "remove the file")

    dump.write_bytes(whole + b"more" * 300)
    fab(project, "devbox", "db.pull", "--app=shop-eu").succeeds()
    assert target.family == {"target", "original"}


def test_what_is_cut_short_at_the_source_never_counts_as_whole(
    project: Project, heroku: StandIn, devbox: Machine
) -> None:
    ended = fab(project, "devbox", "db.fetch", "--app=cut-short")

    ended.refuses("cut-short-b001-.* is cut short", "Fetch it again")
    assert [path for path in dumps(devbox) if path.suffix == ".dump"] == []


def test_a_target_elsewhere_is_judged_from_the_hosts_point_of_view(
    project: Project, heroku: StandIn, devbox: Machine
) -> None:
    elsewhere = "--target=postgres://db.example.com/x"

    ended = fab(project, "devbox", "db.pull", "--app=staging", elsewhere)

    ended.refuses("x on db.example.com is on another machine", "db.allowed_hosts")
    assert heroku.requests() == []


def test_without_a_target_the_places_for_one_are_named(
    project: Project, devbox: Machine
) -> None:
    project.environment["DATABASE_URL"] = ""

    ended = fab(project, "devbox", "db.pull", "--app=staging")

    ended.refuses("No target on devbox", "db.hosts.devbox.target")


# The download


def test_a_dump_that_has_changed_since_is_begun_anew(
    world: World, project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    hang = faults.hang(at=CHUNK + 1_000_000, host="download", times=None)
    heroku.misbehave(hang)
    run = start_fab(project, "devbox", "db.fetch", "--app=changing-there")
    run.until(lambda: heroku.total("download").sent > CHUNK)
    run.signal(signal.SIGINT)
    run.end().refuses("Stopped by Ctrl-C", "stays for the next run", code=130)
    devbox.settled()
    assert [path.suffix for path in dumps(devbox)] == [".part"]
    heroku.behave()
    heroku.misbehave(faults.change(str(world.dumps / "smaller.dump")))

    ended = fab(project, "devbox", "db.pull", "--app=changing-there").succeeds()

    assert "from an earlier run" not in ended.err
    assert world.modern.picture(target.name) == world.modern.picture("smaller")


def test_what_is_no_dump_is_removed(
    project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    with target.untouched():
        ended = fab(project, "devbox", "db.pull", "--app=no-archive")

    ended.refuses("no dump that pg_restore reads", "psql -d DATABASE -f")
    assert dumps(devbox) == []


def test_a_download_host_that_is_down_is_told_with_the_way_around(
    project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    heroku.misbehave(faults.drop(host="download", times=None))

    with target.untouched():
        ended = fab(project, "devbox", "db.pull", "--app=bulk-eu")

    ended.refuses("devbox, asking 127.0.0.1: .*", "--upload")


# What pg_restore meets


def test_a_row_that_can_not_be_restored_ends_the_pull(
    project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    with target.untouched():
        ended = fab(project, "devbox", "db.pull", "--app=bad-row")

    ended.refuses("Restoring failed at TABLE DATA parcels", "target is as it was")
    alone(devbox, target)


# The connection


@pytest.fixture
def restoring(project: Project, target: Target) -> Run:
    """A pull on devbox, in the midst of its restore."""
    run = start_fab(project, "devbox", "db.pull", "--app=slow-index")
    run.until(at_work(target, "CREATE INDEX"))
    return run


def test_a_connection_that_is_cut_while_restoring_leaves_nothing_behind(
    project: Project,
    heroku: StandIn,
    target: Target,
    devbox: Machine,
    restoring: Run,
) -> None:
    before = target.oid, target.notes
    devbox.cut()

    ended = restoring.end()

    ended.refuses("SSH connection to devbox was lost", "target is as it was")
    alone(devbox, target)
    assert (target.oid, target.notes) == before
    [dump] = dumps(devbox)
    assert dump.suffix == ".dump"


def test_a_signal_ends_it_in_order(
    target: Target, devbox: Machine, restoring: Run
) -> None:
    """SIGTERM; Ctrl-C is in test_hosts_together, and SIGHUP does the same."""
    before = target.oid, target.notes
    restoring.signal(signal.SIGTERM)

    ended = restoring.end()

    ended.refuses("Stopped by .* while", "target is as it was", code=143)
    alone(devbox, target)
    assert (target.oid, target.notes) == before


def test_ctrl_c_is_heard_while_an_upload_is_fetched_here(
    project: Project, heroku: StandIn, devbox: Machine
) -> None:
    """By curl: test_a_dump_that_has_changed_since_is_begun_anew."""
    heroku.misbehave(faults.throttle(1_000_000))
    run = start_fab(project, "devbox", "db.fetch", "--app=bulk-eu", "--upload")
    run.until(lambda: heroku.total("download").sent > 400_000)

    run.signal(signal.SIGINT)

    run.end().refuses("Stopped by Ctrl-C", "stays for the next run", code=130)
    devbox.settled()


def test_kill_9_here_ends_it_there(
    target: Target, devbox: Machine, restoring: Run
) -> None:
    before = target.oid, target.notes
    restoring.process.kill()

    restoring.end()

    alone(devbox, target)
    assert (target.oid, target.notes) == before


# Secrets


def test_cuts_and_an_expired_url_cost_no_byte_twice_and_show_no_secret_on_the_host(
    world: World, project: Project, heroku: StandIn, target: Target, devbox: Machine
) -> None:
    size = (world.dumps / "bulk.dump").stat().st_size
    heroku.misbehave(
        faults.throttle(16_000_000),
        faults.cut(every=size // 5, times=4),
        faults.expire(skip=2),
    )
    secrets = [world.modern.password, heroku.token, "X-Amz-Signature"]

    with (
        devbox.watch_processes(secret.encode() for secret in secrets) as watch,
        devbox.held("pg_restore") as seen,
    ):
        run = start_fab(project, "devbox", "db.pull", "--app=bulk-eu")
        run.until(lambda: watch.saw(devbox.bin / "pg_restore"))
        seen.touch()
        run.end().succeeds()

    assert any("pg_restore" in command for command in watch.seen)
    assert any("curl" in command for command in watch.seen)
    assert watch.found == set()
    assert len(heroku.requests(path="public-url")) == 2
    assert heroku.total("download").sent < size * 1.1
    assert target.sql(BLOBS) == world.modern.sql("bulk", BLOBS)
    left = [path for path in devbox.home.rglob("*") if path.is_file()]
    assert [path.suffix for path in left if path.name != ".gitignore"] == [".dump"]
