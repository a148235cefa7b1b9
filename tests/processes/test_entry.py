"""`invoke` and `fab` as processes: what they list, where from, what they answer."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from choices import pairs
from projects import Ended, Project

TASKS = [
    "backups",
    "capture",
    "cleanup",
    "demo",
    "doctor",
    "fetch",
    "mask",
    "pull",
    "push",
    "reset",
    "restore",
    "shell",
    "snapshot",
    "snapshots",
    "start",
    "status",
    "stop",
    "undo",
    "url",
]
HEAVY = ("requests", "rich", "fabric", "paramiko", "aiohttp", "dotenv")
FAB_FIRST = ("fab", "invoke")
PROGRAMS = pytest.mark.parametrize("program", ["invoke", "fab"])


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Project]:
    """A project with nothing but the two files."""
    project = Project.at(tmp_path / "project")
    yield project
    project.close()


def _run(project: Project, program: str, *words: str, **env: str) -> Ended:
    module = {"invoke": "invoke", "fab": "fabric"}[program]
    return project.begin([sys.executable, "-m", module, *words], None, env).end()


def _listed(ended: Ended) -> list[str]:
    return re.findall(r"^  db\.(\w+) ", ended.out, re.MULTILINE)


@PROGRAMS
def test_every_task_is_listed(bare: Project, program: str) -> None:
    assert _listed(_run(bare, program, "--list").succeeds()) == TASKS


def test_a_subfolder_knows_the_tasks_too(bare: Project) -> None:
    below = bare.folder / "app" / "models"
    below.mkdir(parents=True)

    assert _listed(bare.invoke_in(below, "--list").succeeds()) == TASKS


@pytest.mark.parametrize("task", TASKS)
def test_every_task_and_flag_has_help(bare: Project, task: str) -> None:
    ended = _run(bare, "invoke", "--help", f"db.{task}").succeeds()

    assert f"Usage: inv[oke] [--core-opts] db.{task}" in ended.out
    for line in ended.out.splitlines():
        assert not re.fullmatch(r" +--\S+ *", line), line


def test_fab_gives_the_same_help(bare: Project) -> None:
    theirs, ours = (_run(bare, program, "--help", "db.pull") for program in FAB_FIRST)

    assert theirs.out.split("\n", 1)[1] == ours.out.split("\n", 1)[1]


@PROGRAMS
def test_a_typing_error_is_no_traceback(bare: Project, program: str) -> None:
    task = _run(bare, program, "db.pul")
    flag = _run(bare, program, "db.pull", "--taget=x")

    task.refuses("^There is no task db.pul.$", "^Did you mean db.pull?")
    flag.refuses("^db.pull has no flag --taget.$", "^Did you mean --target?")


@PROGRAMS
@pytest.mark.parametrize(
    ("yaml", "env", "cause"),
    [
        ("db: {aps: {a: b}}", {}, "db in invoke.yaml has aps"),
        ("db: {keep: some}", {}, "db.keep in invoke.yaml is 'some'"),
        ("db: {keep: 3}", {"INVOKE_DB_KEEP": "some"}, "INVOKE_DB_KEEP is 'some'"),
        ("db: {app: a1}", {"INVOKE_DB_APP": ""}, ""),
        ("db: {skip_data: [a]}", {"INVOKE_DB_SKIP_DATA": "a,b"}, ""),
    ],
    ids=str,
)
def test_both_read_invoke_yaml_and_the_variables(
    bare: Project, program: str, yaml: str, env: dict[str, str], cause: str
) -> None:
    bare.configure(yaml)

    ended = _run(bare, program, "db.cleanup", **env)

    if cause:
        ended.refuses(cause, "mean apps|whole number")
    else:
        assert "No dump or incomplete" in ended.succeeds().err


@PROGRAMS
def test_the_file_env_is_read_and_may_be_missing(bare: Project, program: str) -> None:
    bare.configure("db: {target: mysql://somewhere/x}")
    ended = _run(bare, program, "db.undo")
    ended.refuses(
        "db.target in invoke.yaml is not a usable database URL", "postgres://"
    )

    (bare.folder / ".env").write_text("DATABASE_URL=oracle://somewhere/x\n")

    ended = _run(bare, program, "db.undo")
    ended.refuses("DATABASE_URL in .env is not a usable database URL", "postgres://")


@PROGRAMS
@pytest.mark.parametrize("words", [("--list",), ("db.cleanup",), ("db.capture",)])
def test_the_program_itself_says_what_a_forked_run_says(
    bare: Project, program: str, words: tuple[str, ...]
) -> None:
    started = [str(Path(sys.executable).parent / program), *words]

    assert bare.begin(started, None, {}).end() == _run(bare, program, *words)


def test_a_host_that_nobody_knows_is_two_sentences(bare: Project) -> None:
    ended = _run(bare, "fab", "-H", "devbox", "db.pull")

    ended.refuses("devbox can't be reached: devbox", "ssh devbox")


def test_listing_imports_nothing_heavy(bare: Project) -> None:
    argv = [sys.executable, "-X", "importtime", "-m", "invoke", "--list"]
    ended = bare.begin(argv, None, {}).end().succeeds()

    imported = {line.split("|")[-1].strip() for line in ended.err.splitlines()}
    assert "dbpull.db" in imported
    assert {name.split(".")[0] for name in imported}.isdisjoint(HEAVY)


def test_it_lives_beside_a_projects_own_tasks(bare: Project) -> None:
    tasks = (bare.folder / "tasks.py").read_text()
    own = "\n\n@task\ndef hello(c):\n    print('hello')\n\nns.add_task(hello)\n"
    (bare.folder / "tasks.py").write_text(
        "from invoke.tasks import task\n" + tasks + own
    )

    for program in ("invoke", "fab"):
        assert _run(bare, program, "hello").succeeds().out == "hello\n"
        assert _listed(_run(bare, program, "--list").succeeds()) == TASKS


def _write(bare: Project, place: str, text: str) -> None:
    path = Path(place.replace("~", bare.environment["HOME"]))
    (bare.folder / path).write_text(text)


@pytest.mark.parametrize(
    ("place", "text", "words"),
    [
        ("~/.invoke.yaml", "db: {kep: 3}", ()),
        ("~/.invoke.json", '{"db": {"kep": 3}}', ()),
        ("invoke.yaml", "db: {kep: 3}", ()),
        ("invoke.yml", "db: {kep: 3}", ()),
        ("invoke.json", '{"db": {"kep": 3}}', ()),
        ("other.yaml", "db: {kep: 3}", ("-f", "other.yaml")),
    ],
)
def test_a_wrong_key_is_blamed_on_the_file_that_has_it(
    bare: Project, place: str, text: str, words: tuple[str, ...]
) -> None:
    if place != "invoke.yaml":
        bare.configure("db: {keep: 2}")
    if place in {"invoke.yml", "invoke.json"}:
        (bare.folder / "invoke.yaml").unlink()
    _write(bare, place, text)

    ended = bare.invoke(*words, "db.undo")

    cause = rf"^db in {re.escape(place)} has kep, which is not a setting"
    ended.refuses(cause, r"Did you mean keep\?")


def test_a_wrong_value_is_blamed_on_the_file_that_has_it(bare: Project) -> None:
    bare.configure("db: {keep: 2}")
    _write(bare, "~/.invoke.yaml", "db: {jobs: none}")

    ended = bare.invoke("db.undo")

    ended.refuses(r"^db.jobs in ~/.invoke.yaml is 'none'", "Set it to")


FULL = "db: {keep: 2, apps: {a: b}, hosts: {h: {path: p}}}"
FAB = ("-f", "other.yaml")
UNMERGEABLE = [
    ("db", "db:\n", "is empty"),
    ("db", "db: []\n", "is '…', which is not a mapping"),
    ("db.apps", "db: {apps: }\n", "is empty"),
    ("db.hosts.h", "db: {hosts: {h: text}}\n", "is '…', which is not a mapping"),
]
"""The key that can't be merged, what a file has, and what is told of it."""


@pytest.mark.parametrize(
    ("unmergeable", "program", "place"),
    pairs(UNMERGEABLE, ["invoke", "fab"], ["~/.{}.yaml", "other.yaml"]),
)
def test_what_invoke_can_not_merge_is_told(
    bare: Project, unmergeable: tuple[str, str, str], program: str, place: str
) -> None:
    key, text, cause = unmergeable
    file = place.format({"invoke": "invoke", "fab": "fabric"}[program])
    words = FAB if file == "other.yaml" else ()
    bare.configure(FULL)
    _write(bare, file, text)
    _run(bare, program, *words, "db.undo").refuses(f"^{key} in {file} {cause}", "")

    bare.configure(text)
    _write(bare, file, FULL)
    ended = _run(bare, program, *words, "db.undo")
    ended.refuses(f"^{key} in invoke.yaml {cause}", "")


@PROGRAMS
def test_an_empty_section_alone_is_none(bare: Project, program: str) -> None:
    bare.configure("db:\n")
    _write(bare, "~/.invoke.yaml", "db:\n")
    _write(bare, "~/.fabric.yaml", "db:\n")

    assert "No dump or incomplete" in _run(bare, program, "db.cleanup").succeeds().err


@pytest.mark.parametrize("text", ["db: []\n", "db: text\n"])
@pytest.mark.parametrize("place", ["~/.invoke.yaml", "invoke.yaml", "other.yaml"])
def test_a_section_that_is_no_mapping_is_blamed_on_its_file(
    bare: Project, place: str, text: str
) -> None:
    _write(bare, place, text)

    ended = bare.invoke(*(FAB if place == "other.yaml" else ()), "db.undo")

    ended.refuses(f"^db in {re.escape(place)} is '…', which is not a mapping", "")


def test_a_python_file_is_blamed_too(bare: Project) -> None:
    _write(bare, "invoke.py", "db = {'kep': 3}\n")

    # Not `python -m invoke`, which would take that file for Invoke itself.
    argv = [str(Path(sys.executable).parent / "invoke"), "db.undo"]
    ended = bare.begin(argv, None, {}).end()

    ended.refuses(r"^db in invoke\.py has kep", r"mean keep\?")


def test_tasks_py_itself_is_blamed_too(bare: Project) -> None:
    with (bare.folder / "tasks.py").open("a") as tasks:
        tasks.write("ns.configure({'db': {'kep': 3}})\n")

    bare.invoke("db.undo").refuses(r"^db in tasks\.py \(ns\.configure\) has kep", "")
