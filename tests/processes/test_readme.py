"""README.md says what the program says."""

from __future__ import annotations

from readme import README, written


def test_its_blocks_and_its_table_are_the_programs_own() -> None:
    text = README.read_text(encoding="utf-8")

    assert written(text) == text
