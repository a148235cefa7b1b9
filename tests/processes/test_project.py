"""The project's folder: its .env and its invoke.yaml, as Invoke meets them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TASKS = """
from pathlib import Path
from invoke import Collection, task
from dbpull.project import PROJECT
from dbpull.settings import Settings
PROJECT.load(Path(__file__).parent)
@task
def show(c):
    settings = Settings.of(c.config.get("db"))
    print(settings.app, settings.keep, settings.skip_data, settings.path)
ns = Collection(show)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project. What its .env adds to the environment goes with the test."""
    for name in ("SHOP_A", "SHOP_B", "INVOKE_DB_APP"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


def invoke(
    project: Path, *words: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the real Invoke on TASKS."""
    (project / "tasks.py").write_text(TASKS)
    return subprocess.run(
        [sys.executable, "-m", "invoke", *words],
        cwd=project,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"INVOKE_DB_KEEP": "some"}, "INVOKE_DB_KEEP is 'some'"),
        ({"INVOKE_DB_APPS": "x"}, "INVOKE_DB_APPS is 'x'"),
        ({"INVOKE_DB_KEPT": "3"}, "Did you mean INVOKE_DB_KEEP?"),
    ],
)
def test_invoke_does_not_crash_on_a_variable_that_it_could_not_cast(
    project: Path, variables: dict[str, str], told: str
) -> None:
    (project / "invoke.yaml").write_text("db: {keep: 3, skip_data: [a], apps: {a: b}}")

    ended = invoke(project, "show", **variables)

    assert ended.returncode == 1
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


def test_invoke_sees_a_list_in_a_variable_and_the_env_file_from_a_subfolder(
    project: Path,
) -> None:
    (project / "invoke.yaml").write_text("db: {keep: 4, skip_data: [a]}")
    (project / ".env").write_text("INVOKE_DB_APP=staging\n")
    (project / "sub").mkdir()
    (project / "tasks.py").write_text(TASKS)

    ended = subprocess.run(
        [sys.executable, "-m", "invoke", "show"],
        cwd=project / "sub",
        env=os.environ | {"INVOKE_DB_SKIP_DATA": "b,c"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.stdout == f"staging 4 ('b', 'c') {project}/local\n"


def test_a_broken_file_is_told_by_invoke_in_two_sentences(project: Path) -> None:
    (project / "invoke.yaml").write_text("db: [")

    ended = invoke(project, "--list")

    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: invoke.yaml can't be read: line ")
    assert len(ended.stderr.splitlines()) == 2
