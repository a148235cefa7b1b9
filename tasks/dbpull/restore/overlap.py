"""Whether it pays to restore a dump's rows while it arrives, by one pg_restore alone.

Several restore them faster, but need all of the file first.
"""

from __future__ import annotations

ROWS_PER_SECOND = 6_000_000
"""Bytes of a dump (packed by gzip) whose rows one pg_restore loads in a second."""


def pays(rate: float, jobs: int) -> bool:
    """Whether to restore a dump that arrives at `rate` (bytes a second) at once.

    For one of size S, one pg_restore meanwhile takes the longer of S/rate and S/rows;
    `jobs` of them afterwards take S/rate + S/(rows * jobs).
    """
    at_once = max(1 / max(rate, 1), 1 / ROWS_PER_SECOND)
    afterwards = 1 / max(rate, 1) + 1 / (ROWS_PER_SECOND * jobs)
    return at_once <= afterwards
