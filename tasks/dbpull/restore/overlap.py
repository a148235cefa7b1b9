"""The decision whether one pg_restore should restore rows while the dump arrives.

Several pg_restores restore them faster, but need the whole file first.
"""

from __future__ import annotations

ROWS_PER_SECOND = 6_000_000
"""Bytes of a dump (packed by gzip) whose rows one pg_restore loads in a second."""


def pays(total: int, left: int, rate: float, jobs: int) -> bool:
    """Whether to restore a dump of `total` bytes at once while `left` of them arrive.

    Bytes arrive at `rate` a second. One pg_restore meanwhile takes the longer of the
    arrival and its own time; `jobs` pg_restores afterwards take the arrival, and then
    their share of that time each.
    """
    if not left:
        return False
    arrival, alone = left / max(rate, 1), total / ROWS_PER_SECOND
    return max(arrival, alone) <= arrival + alone / jobs
