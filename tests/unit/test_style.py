"""The house's style: files and functions that are read in one sitting."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "tasks").rglob("*.py"))
LONGEST_MODULE = 260
LONGEST_FUNCTION = 40


def test_every_module_is_read_in_one_sitting() -> None:
    lengths = {_name(module): len(_text(module).splitlines()) for module in MODULES}

    assert len(lengths) > 100
    assert not {name: n for name, n in lengths.items() if n > LONGEST_MODULE}


def test_every_function_is_read_at_a_glance() -> None:
    lengths = {
        f"{_name(module)}: {function.name}": _length(function)
        for module in MODULES
        for function in _functions(module)
    }

    assert len(lengths) > 1000
    assert not {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION}


def _name(module: Path) -> str:
    return str(module.relative_to(ROOT))


def _text(module: Path) -> str:
    return module.read_text(encoding="utf-8")


def _functions(module: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(_text(module))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1
