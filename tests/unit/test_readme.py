"""README.md says what the program says."""

from __future__ import annotations

import re

from readme import README, ROOT


def test_it_has_exactly_two_one_line_set_ups() -> None:
    text = README.read_text(encoding="utf-8")

    commands = re.findall(r"^    (python3 -m venv .*)$", text, re.MULTILINE)

    assert [command.split()[-1] for command in commands] == [
        "db.demo",
        ".venv/bin/pytest",
    ]


def test_what_it_links_to_is_there() -> None:
    text = README.read_text(encoding="utf-8")

    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / link).exists(), link
