"""Of many combinations few are tried, and every two values meet."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from choices import in_turn, pairs


@pytest.mark.parametrize(
    ("columns", "most"),
    [
        (("ab", "cde", "fghijklmn"), 27),
        (("ab", "cd", "ef"), 4),
        (("a", "bcd"), 3),
        (("aab", "aab"), 9),
        (("ab", "cde", "fgh", "ij", "klm"), 12),
    ],
)
def test_every_two_values_meet_in_few_rows(columns: tuple[str, ...], most: int) -> None:
    rows = pairs(*columns)

    assert len(rows) <= most
    for one, other in combinations(range(len(columns)), 2):
        met = {(row[one], row[other]) for row in rows}
        assert met == set(product(columns[one], columns[other]))


def test_they_are_the_same_each_time() -> None:
    assert pairs("abc", "de", "fg") == pairs("abc", "de", "fg")


def test_each_first_value_has_a_row_and_the_others_take_turns() -> None:
    rows = in_turn("abcdef", [1, 2, 5], "xy")

    assert [row[0] for row in rows] == list("abcdef")
    assert {row[1:] for row in rows} == set(product([1, 2, 5], "xy"))
