"""What the tasks are called in a project that has a `db` of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dbpull
from dbpull import db
from dbpull.keys import KEYS
from dbpull.naming import NAME, command, filled, setting, variable

PACKAGE = Path(dbpull.__file__).parent
NAMED = re.compile(
    rf"(?<![\w.@/-])db\.(?:{'|'.join([*db.__all__, *KEYS])})\b"
    r"|(?:INVOKE|FABRIC)_DB_|\binvoke db\b"
)
FOR_README = {"keys.py"}
"""Its texts are for README.md, which has the usual name."""


def sentences(module: Path) -> Iterator[str]:
    """The strings of a module, but for its docstrings."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and node not in said:
            yield text


def test_no_sentence_has_the_usual_name_of_a_task_or_setting() -> None:
    modules = {module.relative_to(PACKAGE).as_posix(): module
               for module in PACKAGE.rglob("*.py")}  # fmt: skip
    found = {
        name: named
        for name, module in modules.items()
        if (named := [text for text in sentences(module) if NAMED.search(text)])
    }

    assert found.keys() == FOR_README


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("db", "invoke db.undo, db.path, INVOKE_DB_PATH"),
        ("dbpull", "invoke dbpull.undo, dbpull.path, INVOKE_DBPULL_PATH"),
        ("ops.dbpull", "invoke ops.dbpull.undo, dbpull.path, INVOKE_DBPULL_PATH"),
        ("dev_db", "invoke dev-db.undo, dev_db.path, INVOKE_DEV_DB_PATH"),
    ],
)
def test_sentences_have_the_projects_name(name: str, told: str) -> None:
    NAME.collection = name

    sentence = f"{command('undo')}, {setting('path')}, {variable('path')}"

    assert filled(sentence, NAME.invoke) == told
