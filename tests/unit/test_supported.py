"""Where dbpull does not run, one sentence says so, and no import fails before."""

from __future__ import annotations

import os
import platform
import re
import runpy
import signal
import sys
import tomllib
from importlib.abc import MetaPathFinder
from typing import Any

import pytest

import dbpull
from dbpull import supported
from dbpull.supported import OLDEST, refusal, version
from readme import README, ROOT

ELSEWHERE = pytest.mark.parametrize(
    ("system", "libc", "python", "cause", "remedy"),
    [
        ("win32", "", (3, 12, 1), "not on Windows itself", "WSL 2"),
        ("linux", "", (3, 12, 1), "not Alpine's musl", "python:3.12-slim"),
        ("linux", "musl", (3, 14, 0), "not Alpine's musl", "python:3.12-slim"),
        ("linux", "glibc", (3, 10, 13), "and this is 3.10.13", "python3.12 -m venv"),
    ],
)
NOT_ON_WINDOWS = {"fcntl", "grp", "pwd", "resource", "termios", "tty"}


def _pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _stand(monkeypatch: pytest.MonkeyPatch, system: str, libc: str) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "libc_ver", lambda: (libc, ""))


@ELSEWHERE
def test_one_sentence_says_where_it_does_not_run(
    monkeypatch: pytest.MonkeyPatch, system: str, libc: str,
    python: tuple[int, ...], cause: str, remedy: str,
) -> None:  # fmt: skip
    _stand(monkeypatch, system, libc)
    monkeypatch.setattr(sys, "version_info", python)

    told = refusal()

    assert cause in told
    assert remedy in told
    assert told.count("\n") == 0
    assert told.endswith(".")
    with pytest.raises(SystemExit, match=re.escape(cause)):
        version()


@pytest.mark.parametrize(
    ("system", "libc"), [("linux", "glibc"), ("darwin", ""), ("freebsd14", "")]
)
def test_it_runs_elsewhere(
    monkeypatch: pytest.MonkeyPatch, system: str, libc: str
) -> None:
    _stand(monkeypatch, system, libc)

    assert not refusal()


def test_the_tasks_and_djangos_commands_end_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Windows(MetaPathFinder):
        def find_spec(self, name: str, *_: object) -> None:
            if name in NOT_ON_WINDOWS:
                raise ImportError(name)

    ours = [name for name in sys.modules if name.split(".")[0] == "dbpull"]
    for name in (*ours, *(NOT_ON_WINDOWS & sys.modules.keys())):
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(signal, "SIGHUP")
    monkeypatch.delattr(os, "environb")
    monkeypatch.setattr(sys, "meta_path", [Windows(), *sys.meta_path])
    monkeypatch.setattr(sys, "platform", "win32")

    for name in ("dbpull.db", "dbpull.django.management"):
        with pytest.raises(SystemExit, match="not on Windows itself"):
            runpy.run_module(name)


def test_the_installation_asks() -> None:
    read = _pyproject()["tool"]["hatch"]["version"]

    assert (ROOT / read["path"]).samefile(supported.__file__)
    assert read["source"] == "code"
    assert read["expression"] == "version()"
    assert version() == dbpull.__version__


def test_the_oldest_python_is_named_alike() -> None:
    oldest = ".".join(map(str, OLDEST))
    project = _pyproject()["project"]

    assert project["requires-python"] == f">={oldest}"
    assert f"Python {oldest} or newer" in README.read_text(encoding="utf-8")
