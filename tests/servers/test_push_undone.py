"""A push that fails: the app's database is put back."""

from __future__ import annotations

import threading

from faulty_stand_in import faults
from stagings import ROLE, Make, Staging, local_database
from worlds import BAD_KEY, SLOW_INDEX, World


def cut_sessions(staging: Staging, stop: threading.Event) -> None:
    """End the app's sessions again and again, as a lost connection does."""
    ending = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        f" where usename = '{ROLE}';"
    )
    while not stop.wait(0.05):
        staging.server.sql("postgres", ending)


def test_a_connection_that_is_cut_while_restoring_is_undone(
    world: World, make_staging: Make
) -> None:
    # Its index is never made, so that there is something to cut.
    staging = make_staging(local_database(world, "local_slow_index", SLOW_INDEX))
    run = staging.project.start(*staging.push())
    stop = threading.Event()
    cutting = threading.Thread(target=cut_sessions, args=(staging, stop))

    run.says("Restoring into")
    cutting.start()
    try:
        run.says("being put back")
    finally:
        stop.set()
        cutting.join()
    ended = run.end()

    ended.refuses("The push failed: ", "b001 is back")
    assert "The dump is kept" not in ended.err
    assert staging.now == staging.before


def test_what_can_not_be_restored_is_undone_and_maintenance_ends_whatever_the_trouble(
    world: World, make_staging: Make
) -> None:
    staging = make_staging(local_database(world, "local_bad_key", BAD_KEY))
    busy, lost = faults.answer(503, path="*/restores"), faults.lose_answer
    staging.heroku.misbehave(busy, lost(path="*/restores"))

    ended = staging.project.invoke(*staging.push("--maintenance"))

    ended.refuses("The push failed: Restoring failed at .*pets", "b001 is back")
    assert ended.err.count("Waiting on to put b001 back") == 2
    asked = [path for _, path in staging.asked("POST") if path.endswith("/restores")]
    assert len(asked) == 2
    assert f"{staging.app} is out of maintenance mode." in ended.err
    assert staging.asked("PATCH") == [("PATCH", f"/apps/{staging.app}")] * 2
    assert staging.now == staging.before
    assert staging.project.dumps() == []


def test_where_nothing_can_be_put_back_both_are_told_and_undo_does_it_later(
    world: World, make_staging: Make
) -> None:
    staging = make_staging(local_database(world, "local_bad_key", BAD_KEY))
    staging.heroku.misbehave(faults.answer(403, path="*/restores", times=None))

    ended = staging.project.invoke(*staging.push())

    ended.refuses("Restoring failed", "is NOT what it was: b001 is not back yet")
    staging.heroku.behave()
    staging.project.invoke(*staging.push("--undo")).succeeds()
    assert staging.now == staging.before


def test_a_reset_that_is_refused_is_undone(staging: Staging) -> None:
    # Longer than anyone waits.
    fault = faults.answer(500, path="*/reset", times=None, retry_after=900)
    staging.heroku.misbehave(fault)

    ended = staging.project.invoke(*staging.push())

    ended.refuses("The push failed: ", "b001 is back")
    assert staging.now == staging.before
