"""fab beside invoke: the same tasks and settings, and a project's own tasks as ever."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from choices import pairs
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
    {does}

ns.add_task(whereabouts)
"""
WHERE = "print(getattr(c, 'original_host', 'here'), flush=True)"
# Each place has a value of its own that is no number: the refusal names the place.
YAML = "db:\n  keep: in-yaml\n"
ENV_FILE = "INVOKE_DB_KEEP=in-env-file\n"
VARIABLE = {"INVOKE_DB_KEEP": "in-variable"}
FLAG = ("--keep=in-flag",)
PLACES: dict[str, tuple[str, dict[str, str], tuple[str, ...], str]] = {
    "yaml": ("", {}, (), "db.keep in invoke.yaml is 'in-yaml'"),
    ".env": (ENV_FILE, {}, (), "INVOKE_DB_KEEP in .env is 'in-env-file'"),
    "variable": ("", VARIABLE, (), "INVOKE_DB_KEEP is 'in-variable'"),
    "variable over .env": (ENV_FILE, VARIABLE, (), "INVOKE_DB_KEEP is 'in-variable'"),
    "flag": (ENV_FILE, VARIABLE, FLAG, "--keep is 'in-flag'"),
    "flag over yaml": ("", {}, FLAG, "--keep is 'in-flag'"),
}
"""What .env, the variables and the flags have, and the place that the refusal names."""


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


def add_own_task(project: Project, does: str = WHERE) -> None:
    """Have the project's tasks.py hold a task that is not ours."""
    with (project.folder / "tasks.py").open("a") as tasks:
        tasks.write(OWN.format(does=does))


@pytest.mark.parametrize(
    ("place", "program", "below"), pairs(list(PLACES), list(PROGRAMS), [False, True])
)
def test_where_a_value_comes_from_is_the_same_for_all(
    bare: Project, place: str, program: str, *, below: bool
) -> None:
    env_file, variable, flag, said = PLACES[place]
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
    add_own_task(bare)

    ended = run(bare, "fab -H", "whereabouts")

    assert ended.succeeds().out == "nobody\nnoone\n"
    assert ended.err == ""


def test_a_projects_own_task_may_stand_beside_ours(bare: Project) -> None:
    add_own_task(bare)

    ended = run(bare, "fab -H", "whereabouts", "db.cleanup")

    assert ended.out == "nobody\nnoone\n"
    ended.refuses("2 of 2 hosts failed: nobody, noone", "Each host's error is above")


def test_a_projects_own_task_is_not_begun_after_a_failure(bare: Project) -> None:
    add_own_task(bare)

    ended = run(bare, "fab -H", "db.cleanup", "whereabouts")

    assert ended.out == ""
    ended.refuses("2 of 2 hosts failed: nobody, noone", "Each host's error is above")


@pytest.mark.parametrize("where", ["pre", "post"])
def test_what_a_project_puts_before_and_after_a_task_of_ours_is_run(
    bare: Project, where: str
) -> None:
    add_own_task(bare)
    with (bare.folder / "tasks.py").open("a") as tasks:
        tasks.write(f"db.cleanup.{where}.append(whereabouts)\n")

    ended = run(bare, "fab -H", "db.cleanup")

    # Once, and here, as Fabric has it; what comes after is spared by the failure.
    assert ended.out == ("here\n" if where == "pre" else "")
    ended.refuses("2 of 2 hosts failed", "")


def test_what_concerns_all_hosts_is_told_once(bare: Project) -> None:
    bare.configure("db: {keep: some}")

    ended = run(bare, "fab -H", "db.cleanup")

    assert len(ended.err.splitlines()) == 2
    ended.refuses("^db.keep in invoke.yaml is 'some'", "^Set it to a whole number")


@pytest.mark.parametrize("task", ["db.capture", "db.fetch", "db.undo"])
def test_a_task_that_can_not_be_told_is_refused_once_for_all(
    bare: Project, task: str
) -> None:
    ended = run(bare, "fab -H", "--dry", task)

    assert len(ended.err.splitlines()) == 2
    ended.refuses(f"^{task} can't be told with --dry", "db.pull and db.restore can")


def test_the_executor_of_fabric_takes_one_host_after_the_other(bare: Project) -> None:
    bare.configure("tasks: {executor_class: fabric.executor.Executor}\n")

    ended = run(bare, "fab -H", "db.cleanup")

    ended.refuses("^nobody can't be reached", "^`ssh nobody`")
    assert "noone" not in ended.err
    assert "result" not in ended.err


def test_invokes_variables_count_for_fab_unless_fabrics_own_are_set(
    bare: Project,
) -> None:
    add_own_task(bare, "print(bool(c.config.run.warn), flush=True)")
    (bare.folder / ".env").write_text("INVOKE_RUN_WARN=1\n")

    for program in ("invoke", "fab", "fab -H"):
        assert set(run(bare, program, "whereabouts").out.split()) == {"True"}
    for set_by_hand in ("INVOKE_RUN_WARN", "FABRIC_RUN_WARN"):
        assert run(bare, "fab", "whereabouts", more={set_by_hand: "0"}).out == "False\n"


@pytest.mark.parametrize("program", ["fab", "fab -H"])
def test_a_setting_has_no_variable_of_fabrics(bare: Project, program: str) -> None:
    bare.configure("db: {keep: 3, skip_data: [a]}\n")

    for name, value in (("KEEP", "some"), ("SKIP_DATA", "b"), ("KEPT", "3")):
        ended = run(bare, program, "db.cleanup", more={f"FABRIC_DB_{name}": value})
        ended.refuses(f"environment has FABRIC_DB_{name}", f"INVOKE_DB_{name}")


def test_an_ssh_config_that_nobody_can_read_is_no_traceback(bare: Project) -> None:
    ssh = Path(bare.environment["HOME"]) / ".ssh"
    ssh.mkdir()
    for content in (b"Host\n", b"# caf\xe9\n"):
        (ssh / "config").write_bytes(content)
        for program in ("fab", "fab -H"):
            ended = run(bare, program, "db.cleanup")
            ended.refuses("^~/.ssh/config can't be read: ", "^Correct ~/.ssh/config")


@pytest.mark.parametrize(
    "typed", [",", " ", "@", "ann@", "devbox:abc", "devbox:0", "devbox:99999"]
)
def test_what_is_no_host_is_refused(bare: Project, typed: str) -> None:
    argv = [sys.executable, "-m", "fabric", "-H", typed, "db.cleanup"]

    ended = bare.begin(argv, None, {}).end()

    ended.refuses("can't be reached: ", "~/.ssh/config does.*fab -H ann@")
    assert len(ended.err.splitlines()) == 2


def test_an_empty_host_is_none(bare: Project) -> None:
    argv = [sys.executable, "-m", "fabric", "-H", "", "db.cleanup"]

    assert bare.begin(argv, None, {}).end().succeeds().err.startswith("No dump")
