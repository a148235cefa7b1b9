"""Which of many combinations are tried: few rows in which every two values meet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, cycle, islice, product
from typing import Any


def pairs(*columns: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Rows of a value of each column: each two of different columns meet in one."""
    rows = list(product(*(range(len(column)) for column in columns)))
    lacking = {met for row in rows for met in _met(row)}
    chosen = []
    while lacking:
        best = max(rows, key=lambda row: len(lacking & _met(row)))
        lacking -= _met(best)
        chosen.append(best)
    return [
        tuple(column[at] for column, at in zip(columns, row, strict=True))
        for row in sorted(chosen)
    ]


def in_turn(first: Sequence[Any], *others: Sequence[Any]) -> list[tuple[Any, ...]]:
    """A row for each value of the first; the others' values take turns."""
    turns = (islice(cycle(other), len(first)) for other in others)
    return list(zip(first, *turns, strict=True))


def _met(row: tuple[int, ...]) -> set[tuple[tuple[int, int], ...]]:
    """Which values of which columns meet in a row."""
    return set(combinations(enumerate(row), 2))
