"""`invoke db.doctor`: each broken set-up is found, and what to do is named."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from dbpull import embedded
from dbpull.dumps.names import Dump
from dbpull.errors import TaskFailed
from dbpull.flows.doctor import doctor
from dbpull.postgres import programs
from dbpull.project import PROJECT
from dbpull.settings import Settings
from dbpull.shell.local import Local
from projects import Project
from targets import Target
from worlds import World

NOW = "20260101T000000Z"
Examine = Callable[..., dict[str, str]]


@pytest.fixture
def examine(
    world: World,
    standing: Target,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Examine:
    """The findings of a run in this process, by their labels.

    Its keywords are flags, and variables; all else is in order.
    """
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.setattr(PROJECT, "folder", project)
    for name, value in world.heroku.environment.items():
        monkeypatch.setenv(name, value)

    def run(**given: str) -> dict[str, str]:
        for name in [name for name in given if name.isupper()]:
            monkeypatch.setenv(name, given.pop(name))
        section = {"mask": {"email": given.pop("rule")}} if "rule" in given else {}
        flags = {"app": "shop-eu", "target": standing.url} | given
        settings = Settings.of(section, **{k: v or None for k, v in flags.items()})
        with suppress(TaskFailed):
            doctor(settings, Local())
        found = re.split(r"^(?=\S )", capsys.readouterr().out, flags=re.MULTILINE)
        return {one.split()[1]: f"{one[0]} {one[12:]}" for one in found if one}

    return run


@pytest.mark.parametrize(
    ("given", "label", "cause", "remedy"),
    [
        ({"app": ""}, "source", "No Heroku app given", "Pass --app"),
        ({"HEROKU_API_KEY": ""}, "access", "No Heroku token", "heroku login"),
        ({"HEROKU_API_KEY": "wrong"}, "access", "not accept the token", "valid one"),
        ({"app": "nowhere"}, "database", "no app called 'nowhere'", "spelling"),
        (
            {"app": "", "source": "postgres://u@127.0.0.1:1/shop?sslmode=require"},
            "access",
            "to be reached by TLS",
            "Install ",
        ),
        (
            {"app": "", "source": "{standing}"},
            "mix-up",
            "the database of .* itself",
            "Name your development",
        ),
        ({"target": "postgres://far/shop"}, "target", "another machine", "allowed_ho"),
        ({"target": "postgres://127.0.0.1:1/shop"}, "target", "be reached", "server "),
        ({"target": "{powerless}"}, "rights", "may not create", "CREATEDB"),
        ({"target": "{stranger}"}, "rights", "belongs to postgres", "GRANT"),
        ({"rule": "emial"}, "settings", "emial", "email"),
    ],
    ids=str,
)
def test_a_broken_set_up_is_found_and_the_remedy_named(
    given: dict[str, str],
    label: str,
    cause: str,
    remedy: str,
    examine: Examine,
    world: World,
    standing: Target,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(programs, "FOLDERS", ())
    monkeypatch.setattr(embedded, "complete_programs", lambda: None)
    powerless, stranger = world.modern.role("NOCREATEDB"), world.modern.role("CREATEDB")
    urls = {
        "standing": standing.url,
        "powerless": world.modern.socket_url(standing.name, powerless),
        "stranger": world.modern.socket_url(standing.name, stranger),
    }

    found = examine(**{name: text.format(**urls) for name, text in given.items()})

    assert re.search(f"✗ .*{cause}.*\n.*{remedy}", found[label], re.DOTALL)


def test_programs_that_are_missing_or_too_old_are_found(
    examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = programs.Program("pg_restore", 13)
    monkeypatch.setattr(programs, "find", lambda *_: [known])
    assert re.search("✗ .*pg_restore 13 .*\n.*Install", examine()["programs"], re.S)

    monkeypatch.setattr(programs, "find", lambda *_: [])
    found = examine()["programs"]

    assert re.search("✗ pg_restore was not found.*\n.*Install", found, re.S)


def test_a_dump_that_does_not_fit_a_full_disk_and_git_are_found(
    examine: Examine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert examine()["dump"].startswith("- its extensions")
    folder = PROJECT.folder / "local"
    folder.mkdir()
    dump = Dump.of(folder / f"shop-eu-b101-{NOW}.dump")
    dump.path.write_bytes((world.dumps / "lacks-extension.dump").read_bytes())
    subprocess.run(["git", "init", "-q", str(PROJECT.folder)], check=True)
    (PROJECT.folder / ".env").touch()
    monkeypatch.setattr(Local, "free", lambda *_: 1000)

    found = examine()

    assert re.search("✗ .*extension zitext.*\n.*Install", found["dump"], re.S)
    assert re.search("✗ .*the disk of .*\n.*Free some space", found["disk"], re.S)
    assert re.search("! git does not ignore .env.*\n.*gitignore", found[".env"], re.S)


def test_all_in_order_ends_well_and_a_refusal_with_exit_code_1(
    project: Project, target: Target
) -> None:
    project.configure("db:\n  app: shop-eu\n  hosts: {devbox: {path: dumps}}\n")
    with target.unasked():
        well = project.invoke("db.doctor").succeeds()
        ill = project.invoke("db.doctor", HEROKU_API_KEY="wrong")

    assert well.out.startswith("✓ source    shop-eu\n✓ access    ada@example.com, by")
    assert "✓ database  shop-eu [db.app in invoke.yaml], DATABASE, Postg" in well.out
    assert "- hosts     `fab -H devbox db.doctor` looks at them\n" in well.out
    assert "✗" not in well.out
    assert "Nothing is known that would keep a pull from working." in well.err
    ill.refuses("A pull would be refused", "then run `invoke db.doctor` again")
    assert "- database  can't be looked at: see above" in ill.out
