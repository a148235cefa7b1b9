"""What the tasks are called in a project that has a `db` of its own."""

from __future__ import annotations

from dbpull import db
from dbpull.naming import NAME
from dbpull.settings import KEYS


def test_each_task_and_setting_is_known_to_sentences() -> None:
    NAME.told = "dbpull"
    for name in (*db.__all__, *KEYS):
        assert NAME.in_sentence(f"db.{name} is") == f"dbpull.{name} is"
    for other in ("my-db.app", "x.db.app", "ann@db.app", "db.users", "//db.app/x"):
        assert NAME.in_sentence(other) == other
