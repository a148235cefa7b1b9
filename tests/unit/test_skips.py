"""What a machine lacks is told once for each reason, and fails a strict run."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import lacking
import skips

pytest_plugins = ["pytester"]

FILE = """
import re
from pathlib import Path

import pytest
from lacking import need, needs, or_skipped

@pytest.mark.parametrize("number", [1, 2])
def test_a_need_within(number):
    need("sh", "no-such-program")

@needs("no-such-program")
def test_a_mark():
    pass

@pytest.mark.parametrize("server", or_skipped([], "no server"))
def test_of_nothing(server):
    pass

@needs("sh")
@pytest.mark.parametrize("server", or_skipped(["one"], "no server"))
def test_that_runs(server):
    need("sh")
"""
ALLOWED = """
import lacking, pytest

def test_of_another_machine():
    pytest.skip(lacking.CLOSED)
"""


def lines(pytester: pytest.Pytester, text: str, *words: str) -> tuple[int, list[str]]:
    pytester.makepyfile(text)
    ended = pytester.runpytest_inprocess("-p", "skips", "-p", "no:xdist", *words)
    return int(ended.ret), ended.outlines


def test_each_reason_has_one_line(pytester: pytest.Pytester) -> None:
    code, told = lines(pytester, FILE)

    assert code == 0
    assert [line for line in told if line.startswith("no")] == [
        "no server: 1 test was skipped",
        "no-such-program is not installed (apt install no-such-program):"
        " 3 tests were skipped",
    ]
    assert "1 passed, 4 skipped" in told[-1]


def test_a_strict_machine_may_lack_nothing(pytester: pytest.Pytester) -> None:
    code, told = lines(pytester, FILE, "--strict-machine")

    assert code == 1
    assert "--strict-machine: these tests are meant to run here." in told


def test_what_is_not_for_the_tests_to_choose_fails_no_run(
    pytester: pytest.Pytester,
) -> None:
    code, told = lines(pytester, ALLOWED, "--strict-machine")

    assert code == 0
    assert f"{lacking.CLOSED}: 1 test was skipped" in told


def test_a_package_is_named_before_any_test_runs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(skips, "PACKAGES", {"lksh": "mksh", "sh": "dash"})
    monkeypatch.setattr(lacking, "path_of", lambda name: {"sh": "/bin/sh"}.get(name))

    _, told = lines(pytester, "def test_it(): pass")

    assert "some tests will be skipped: apt install mksh" in told


@pytest.mark.parametrize("name", ["README.md", "tests/README.md"])
def test_what_to_install_for_all_tests_is_written_down(name: str) -> None:
    text = (Path(__file__).parents[2] / name).read_text(encoding="utf-8")
    found = re.search(r"apt install ((?:[a-z-]+\s)*[a-z-]+)", text)
    assert found

    # Git is needed anyway, and sshd brings its client.
    needed = {*lacking.PACKAGES.values(), "postgresql"} - {"git", "openssh-client"}
    assert set(found[1].split()) == needed


def test_only_tests_are_marked_with_what_they_need() -> None:
    marked = [
        (path.name, function.name)
        for path in Path(__file__).parents[1].rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        if any("needs" in ast.unparse(mark) for mark in function.decorator_list)
    ]

    assert len(marked) > 10
    assert not [name for name in marked if not name[1].startswith("test_")]
