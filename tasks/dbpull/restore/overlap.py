"""Whether it pays to restore a dump's rows while it arrives, by one pg_restore alone.

Several restore them faster, but need all of the file first.
"""

from __future__ import annotations

ROWS_PER_SECOND = 6_000_000
"""Bytes of a dump (packed by gzip) whose rows one pg_restore loads in a second."""


def pays(total: int, left: int, rate: float, jobs: int) -> bool:
    """Whether to restore at once a dump of `total` bytes, of which `left` are to come.

    They come at `rate` (bytes a second). One pg_restore meanwhile takes the longer of
    the arrival and its own time; `jobs` of them afterwards take the arrival, and then
    their share of that time each.
    """
    if not left:
        return False
    arrival, alone = left / max(rate, 1), total / ROWS_PER_SECOND
    return max(arrival, alone) <= arrival + alone / jobs
