"""fab beside invoke: the same tasks and settings, and a project's own tasks as ever."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from projects import Ended, Project

PROGRAMS = {
    "invoke": ["-m", "invoke"],
    "fab": ["-m", "fabric"],
    "fab -H": ["-m", "fabric", "-H", "nobody,noone"],
}
OWN = """
from invoke.tasks import task

@task
def whereabouts(c):
    print(getattr(c, "original_host", "here"), flush=True)

ns.add_task(whereabouts)
"""
# Each place has a value of its own that is no number: the refusal names the place.
YAML = "db:\n  keep: in-yaml\n"
ENV_FILE = "INVOKE_DB_KEEP=in-env-file\n"
VARIABLE = {"INVOKE_DB_KEEP": "in-variable"}
FLAG = ("--keep=in-flag",)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Project]:
    """A project with nothing but the two files."""
    project = Project.at(tmp_path / "project")
    yield project
    project.close()


def run(
    project: Project,
    program: str,
    *words: str,
    cwd: Path | None = None,
    more: Mapping[str, str] | None = None,
) -> Ended:
    argv = [sys.executable, *PROGRAMS[program], *words]
    return project.begin(argv, cwd, more or {}).end()


@pytest.mark.parametrize("below", [False, True], ids=["", "in a subfolder"])
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("env_file", "variable", "flag", "said"),
    [
        ("", {}, (), "db.keep in invoke.yaml is 'in-yaml'"),
        (ENV_FILE, {}, (), "INVOKE_DB_KEEP in .env is 'in-env-file'"),
        ("", VARIABLE, (), "INVOKE_DB_KEEP is 'in-variable'"),
        (ENV_FILE, VARIABLE, (), "INVOKE_DB_KEEP is 'in-variable'"),
        (ENV_FILE, VARIABLE, FLAG, "--keep is 'in-flag'"),
        ("", {}, FLAG, "--keep is 'in-flag'"),
    ],
    ids=["yaml", ".env", "variable", "variable over .env", "flag", "flag over yaml"],
)
def test_where_a_value_comes_from_is_the_same_for_all(
    bare: Project,
    program: str,
    env_file: str,
    variable: Mapping[str, str],
    flag: tuple[str, ...],
    said: str,
    *,
    below: bool,
) -> None:
    bare.configure(YAML)
    (bare.folder / ".env").write_text(env_file)
    folder = bare.folder / "app" if below else bare.folder
    folder.mkdir(exist_ok=True)

    ended = run(bare, program, "db.cleanup", *flag, cwd=folder, more=variable)

    assert ended.code == 1
    assert said in ended.err
    assert "can't be reached" not in ended.err


def test_fab_lists_what_invoke_lists(bare: Project) -> None:
    ours, theirs = (run(bare, program, "--list").out for program in ("invoke", "fab"))

    assert ours == theirs
    assert "db.pull" in ours


def test_without_a_host_fab_is_invoke(bare: Project) -> None:
    ours, theirs = (run(bare, program, "db.cleanup") for program in ("invoke", "fab"))

    assert (ours.code, ours.err) == (theirs.code, theirs.err)


def test_a_projects_own_task_goes_from_host_to_host_as_fabric_has_it(
    bare: Project,
) -> None:
    with (bare.folder / "tasks.py").open("a") as tasks:
        tasks.write(OWN)

    ended = run(bare, "fab -H", "whereabouts")

    assert ended.succeeds().out == "nobody\nnoone\n"
    assert ended.err == ""


def test_a_projects_own_task_may_stand_beside_ours(bare: Project) -> None:
    with (bare.folder / "tasks.py").open("a") as tasks:
        tasks.write(OWN)

    ended = run(bare, "fab -H", "whereabouts", "db.cleanup")

    assert ended.out == "nobody\nnoone\n"
    ended.refuses("2 of 2 hosts failed: nobody, noone", "each of them said")


def test_what_all_hosts_are_told_alike_is_told_for_each(bare: Project) -> None:
    bare.configure("db: {keep: some}")

    ended = run(bare, "fab -H", "db.cleanup")

    assert ended.err.count("db.keep in invoke.yaml is 'some'") >= 1
    ended.refuses("2 of 2 hosts failed", "")
