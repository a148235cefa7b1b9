"""A project that has a `db` of its own, and calls our collection `dbpull`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dbpull import db
from projects import Ended, Project

TASKS = '''
from pathlib import Path

from invoke.collection import Collection
from invoke.tasks import task

from dbpull import db
from dbpull.project import PROJECT

PROJECT.load(Path(__file__).parent, name="{name}")

@task
def migrate(c):
    """Migrate."""
    print(c.db.host, c.db.pool)

own = Collection("db")
own.add_task(migrate)
ns = Collection(own)
ours = Collection.from_module(db, name="{last}")
ns.add_collection({ours})
'''
YAML = "db: {host: here, pool: 3}\ndbpull: {keep: 2}\n"
PROGRAMS = pytest.mark.parametrize("program", ["invoke", "fabric"])


def _write(project: Project, name: str = "dbpull", ours: str = "ours") -> None:
    last = name.rpartition(".")[2]
    text = TASKS.format(name=name, last=last, ours=ours)
    (project.folder / "tasks.py").write_text(text, encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project with its own `db`: a task and a section."""
    made = Project.at(tmp_path / "project")
    _write(made)
    made.configure(YAML)
    yield made
    made.close()


def _run(project: Project, program: str, *words: str, **env: str) -> Ended:
    return project.begin([sys.executable, "-m", program, *words], None, env).end()


@PROGRAMS
def test_both_collections_are_listed(project: Project, program: str) -> None:
    listed = _run(project, program, "--list").succeeds().out

    assert re.findall(r"^  db\.(\S+)", listed, re.MULTILINE) == ["migrate"]
    assert re.findall(r"^  dbpull\.(\S+)", listed, re.MULTILINE) == sorted(db.__all__)
    assert not re.search(r"\bdb\.(?!migrate)", listed)


@PROGRAMS
def test_the_projects_own_section_and_variables_are_its_own(
    project: Project, program: str
) -> None:
    told = _run(project, program, "db.migrate").succeeds().out
    assert told == "here 3\n"

    told = _run(project, program, "db.migrate", INVOKE_DB_HOST="there").succeeds().out
    assert told == "there 3\n"

    (project.folder / ".env").write_text("INVOKE_DB_POOL=5\nINVOKE_DB_KEEP: 2\n")
    told = _run(project, program, "db.migrate", INVOKE_DB_APP="x").succeeds().out
    assert told == "here 5\n"


def test_fabrics_own_variables_reach_the_projects_own_tasks(project: Project) -> None:
    told = _run(project, "fabric", "db.migrate", FABRIC_DB_HOST="f").succeeds().out

    assert told == "f 3\n"


@PROGRAMS
@pytest.mark.parametrize(
    ("yaml", "env", "cause", "remedy"),
    [
        ("dbpull: {kep: 2}", {}, "^dbpull in invoke.yaml has kep", r"mean keep\?"),
        ("dbpull: {keep: no}", {}, "^dbpull.keep in invoke.yaml is False", "number"),
        (YAML, {"INVOKE_DBPULL_KEEP": "x"}, "^INVOKE_DBPULL_KEEP is 'x'", "number"),
        (YAML, {"INVOKE_DBPULL_KEP": "3"}, "has INVOKE_DBPULL_KEP", "DBPULL_KEEP"),
        (
            YAML,
            {"INVOKE_DBPULL_PROTECTED": "x"},
            "^INVOKE_DBPULL_PROTECTED is set in .*; dbpull.protected may only be set",
            "",
        ),
        (YAML, {"DATABASE_URL": "oracle://x/y"}, "^DATABASE_URL is not", ""),
    ],
    ids=str,
)
def test_our_section_and_variables_have_the_name(
    project: Project, program: str, yaml: str, env: dict[str, str],
    cause: str, remedy: str,
) -> None:  # fmt: skip
    project.configure(yaml)

    _run(project, program, "dbpull.undo", **env).refuses(cause, remedy)


def test_fabrics_name_of_a_variable_is_refused(project: Project) -> None:
    ended = _run(project, "fabric", "dbpull.undo", FABRIC_DBPULL_KEEP="3")

    ended.refuses("has FABRIC_DBPULL_KEEP", r"mean INVOKE_DBPULL_KEEP\?")


@PROGRAMS
def test_messages_and_help_have_the_name(project: Project, program: str) -> None:
    ended = _run(project, program, "dbpull.pull")
    ended.refuses(
        "^No Heroku app", "set dbpull.app in invoke.yaml, INVOKE_DBPULL_APP or"
    )

    ended = _run(project, program, "--dry", "dbpull.undo")
    ended.refuses("^dbpull.undo can't be told", "^dbpull.pull and dbpull.restore can")

    told = _run(project, program, "--help", "dbpull.pull").succeeds().out
    assert "an alias of dbpull.apps, or" in told


@PROGRAMS
def test_the_env_file_is_understood_with_the_name(
    project: Project, program: str
) -> None:
    (project.folder / ".env").write_text("INVOKE_DBPULL_KEEP=some\n")
    ended = _run(project, program, "dbpull.undo")
    ended.refuses("INVOKE_DBPULL_KEEP in .env is 'some'", "")

    (project.folder / ".env").write_text("INVOKE_DBPULL_TARGET=\n")
    ended = _run(project, program, "dbpull.url")
    ended.refuses("^INVOKE_DBPULL_TARGET in .env is empty", "`invoke dbpull.start`")

    (project.folder / ".env").write_text("INVOKE_DBPULL_KEEP: 3\n")
    ended = _run(project, program, "dbpull.url")
    ended.refuses(r"^\.env can't be read: line 1 is not", "")


def test_it_may_be_within_another_collection(project: Project) -> None:
    _write(project, "ops.dbpull", 'Collection("ops", ours)')
    project.configure("db: {host: here, pool: 3}\ndbpull: {kep: 2}\n")

    ended = project.invoke("--dry", "ops.dbpull.undo")
    ended.refuses("^ops.dbpull.undo can't be told", "^ops.dbpull.pull and ops.dbpull")
    ended = project.invoke("ops.dbpull.undo")
    ended.refuses("^dbpull in invoke.yaml has kep", "")


def test_it_is_typed_as_invoke_has_it(project: Project) -> None:
    _write(project, "dev_db")
    project.configure("dev_db: {kep: 2}\n")

    ended = project.invoke("--dry", "dev-db.undo")
    ended.refuses("^dev-db.undo can't be told", "^dev-db.pull and dev-db.restore can")
    project.invoke("dev-db.undo").refuses("^dev_db in invoke.yaml has kep", "")
    project.configure("dev_db: {keep: 2}\n")
    ended = project.invoke("dev-db.undo", INVOKE_DEV_DB_KEEP="x")
    ended.refuses("^INVOKE_DEV_DB_KEEP is 'x'", "")


@pytest.mark.parametrize("name", ["", "run", "tasks", "a b", ".db", "ops.run", "x="])
def test_a_name_that_can_not_be_is_refused(project: Project, name: str) -> None:
    _write(project, name)

    project.invoke("--list").refuses(f"^name in tasks.py is {name!r}", "")


def test_who_has_told_no_name_learns_of_it(project: Project) -> None:
    _write(project, "db", "ours, name='other'")

    ended = project.invoke("other.undo")

    ended.refuses("^db in invoke.yaml has host", r'load\(…, name="dbpull"\)')
