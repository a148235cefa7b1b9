"""`invoke db.push` as a user types it: what the app's database is afterwards."""

from __future__ import annotations

from stagings import APP, MAJOR, Staging
from worlds import World


def test_the_apps_database_becomes_equal_to_the_local_one_and_undo_brings_it_back(
    world: World, staging: Staging
) -> None:
    ended = staging.project.invoke(*staging.push()).succeeds()

    assert staging.now == world.others[MAJOR].likeness("shop")
    told = f"`invoke db.push --undo --app={APP} --confirm={APP}` puts b001 back"
    assert told in ended.err
    assert staging.project.dumps() == []
    writes = [path.split("/")[-1] for _, path in staging.asked("POST", "PUT", "PATCH")]
    assert writes == ["resolve", "backups", "reset"]
    staging.project.invoke(*staging.push("--undo")).succeeds()
    assert staging.now == staging.before
