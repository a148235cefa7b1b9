"""A pull in a project that calls our collection `dbpull`, here and on a host."""

from __future__ import annotations

from faulty_stand_in import StandIn
from projects import Project
from targets import Target

RENAMED = ', name="dbpull")\n\nns = Collection.from_module(db, name="dbpull")\n'


def rename(project: Project) -> None:
    """Have its tasks.py call ours `dbpull`."""
    path = project.folder / "tasks.py"
    text = path.read_text(encoding="utf-8").split(")\n\nns =")[0] + RENAMED
    text += "ns = Collection(ns)\n"
    path.write_text(text, encoding="utf-8")
    yaml = project.folder / "invoke.yaml"
    if yaml.exists():
        told = yaml.read_text(encoding="utf-8").replace("db:", "dbpull:", 1)
        yaml.write_text(told, encoding="utf-8")


def test_what_is_to_be_typed_has_the_name(
    project: Project, heroku: StandIn, target: Target
) -> None:
    rename(project)

    first = project.invoke("dbpull.pull", "--app=small-eu").succeeds()
    again = project.invoke("dbpull.pull", "--app=small-eu").succeeds()
    back = project.invoke("dbpull.undo").succeeds()
    listed = project.invoke("dbpull.backups", "--app=small-eu").succeeds()

    assert "`invoke dbpull.undo" in first.err
    assert "`invoke dbpull.undo` brings the old one back.\n" in again.err
    for ended in (first, again, back, listed):
        assert " db." not in ended.err
