"""The house's style: what the tools say, and files that are read in one sitting."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "tasks").rglob("*.py"))
LONGEST_MODULE = 260
LONGEST_FUNCTION = 40
CHECKS = [
    ["ruff", "check", "--no-cache"],
    ["ruff", "format", "--check", "--no-cache"],
    ["mypy"],
]


@pytest.mark.parametrize("check", CHECKS, ids=" ".join)
def test_the_tools_have_no_objection(check: list[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", *check],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(ROOT)))
def test_a_module_is_read_in_one_sitting(module: Path) -> None:
    text = module.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert _length(node) <= LONGEST_FUNCTION, node.name


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1
