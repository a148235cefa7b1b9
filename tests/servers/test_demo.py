"""`invoke db.demo`: the real db.pull on a made-up app, and nothing left of it."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

import picture
from projects import MARK, Project, marked
from readme import README

# A database of some rows, for what does not show how many there are.
SMALL = """
import runpy
from dbpull.demo.stage import Stage
Stage.__init__.__kwdefaults__["scale"] = 0.01
runpy.run_module("invoke", run_name="__main__", alter_sys=True)
"""


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Project]:
    """A project without anything, whose temporary files can be counted."""
    project = Project.at(tmp_path / "project", TMPDIR=str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o755)
    project.keeps_running = True
    yield project
    project.invoke("db.stop", "--demo")
    project.close()


def _left(project: Project) -> list[str]:
    folder = Path(project.environment["TMPDIR"])
    return [path.name for path in folder.iterdir()]


def test_it_shows_the_picture_of_the_readme_and_leaves_nothing(
    bare: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = uuid4()
    monkeypatch.setenv(MARK, str(mark))
    monkeypatch.setenv("TMPDIR", bare.environment["TMPDIR"])

    shown = picture.text(picture.drawn(picture.played(bare.folder, scale=0.1)))

    assert shown == picture.text(picture.PICTURE.read_text(encoding="utf-8"))
    assert len(shown) > 30
    place = picture.PICTURE.relative_to(picture.ROOT).as_posix()
    assert f"]({place})" in README.read_text(encoding="utf-8")
    assert any("Whattotrynext" in line for line in shown)
    assert marked(f"{MARK}={mark}") == []
    assert _left(bare) == []
    assert {path.name for path in bare.folder.rglob(".dbpull/*")} <= {".gitignore"}


def test_a_kept_one_serves_until_it_is_stopped(bare: Project) -> None:
    words = [sys.executable, "-c", SMALL, "db.demo", "--keep"]
    kept = bare.begin(words, None, {}).end().succeeds()

    for told in (
        "$ invoke db.pull",
        "shop b101, 40 minutes old → shop_development on this machine (DATABASE_URL in",
        "which holds rows that dbpull did not pull.",
        "Fetched shop b101",
        "Restored ",
        "Masked 10 columns of 6 tables",
        "Checked and analyzed",
        "shop_development on this machine is now shop b101",
        "$ invoke db.undo",
        "Swapped back: shop_development",
    ):
        assert told in kept.err
    before, after = kept.err.split("Masked 10 columns")
    assert re.findall(r"^ *(\d) Customer\.\1@", before, re.M) == ["1", "2", "3"]
    assert re.findall(r"^ *(\d) u[0-9a-f]{16}@", after, re.M) == ["1", "2", "3"]
    lines = kept.out.splitlines()
    assert all(line.startswith("export ") for line in lines), kept.out
    environment = dict(shlex.split(line)[1].split("=", 1) for line in lines)
    assert {"HEROKU_API_KEY", "HEROKU_HOST", "DATABASE_URL"} <= environment.keys()
    pulled = bare.invoke("db.pull", "--app=shop-staging-eu", **environment).succeeds()
    assert re.search("shop_development .* is now shop-staging-eu a042", pulled.err)
    bare.invoke("db.undo", **environment).succeeds()
    push = ("db.push", "--app=shop-staging-eu", "--confirm=shop-staging-eu")
    pushed = bare.invoke(*push, **environment).succeeds()
    assert "shop-staging-eu is now shop_development on this machine" in pushed.err
    undone = bare.invoke(*push, "--undo", **environment).succeeds()
    assert "The database of shop-staging-eu is b043 again" in undone.err
    bare.invoke("db.demo", "--keep").refuses("demo is kept already", "db.stop --demo")

    spared = bare.invoke("db.stop").succeeds()
    assert "A demo is kept; `invoke db.stop --demo` stops it" in spared.err

    bare.keeps_running = False
    stopped = bare.invoke("db.stop", "--demo").succeeds()

    assert "Stopped the demo and removed its files" in stopped.err
    assert "Stopped" not in bare.invoke("db.stop", "--demo").succeeds().err
    assert _left(bare) == []
    gone = bare.invoke("db.pull", "--app=shop", **environment)
    gone.refuses("can't be reached", "embedded server of another project")
