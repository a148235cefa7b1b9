"""`db.snapshot` and `db.reset` against the pull of the same database.

    .venv/bin/python tests/bench/snapshots.py --data=large --rate=10
    .venv/bin/python tests/bench/snapshots.py --cache=/mnt/xfs/bench

The server lies in the cache's folder, else in a temporary one (TMPDIR: choose a disk).
On XFS or btrfs, PostgreSQL 18 clones files.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "support")]

from bench.contestants import invoke
from bench.track import APP, TARGET, Track, Wanted, track

SPOIL = "drop schema public cascade; create schema public;"


def _measured(made: Track, rounds: int) -> dict[str, list[float]]:
    """Seconds of each task, by its name; what a reset brings back is compared."""
    took = {"db.pull": [invoke(made, "db.pull", f"--app={APP}").seconds]}
    took["db.snapshot"] = [invoke(made, "db.snapshot", "bench").seconds]
    for _ in range(rounds):
        made.postgres.sql(TARGET, SPOIL)
        seconds = invoke(made, "db.reset", "--to=bench").seconds
        took.setdefault("db.reset", []).append(seconds)
        assert made.filled(), "the target is not what it was"
    return took


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", choices=["large", "small", "many"], default="large")
    add("--scale", type=float, default=1.0, help="of the data")
    add("--rate", type=float, default=10, help="MB/s of the download; 0: no bound")
    add("--rounds", type=int, default=3, help="resets")
    add("--jobs", type=int, default=2)
    add("--postgres", choices=["15", "18"], default="18")
    add("--cache", type=Path, help="folder that keeps the databases and dumps")
    return parser


def main() -> None:
    """Read the options, run, report."""
    given = _options().parse_args()
    wanted = Wanted(
        given.data, given.scale, given.postgres, given.jobs, 1, given.cache, fsync=True
    )
    with track(wanted) as made:
        print("\n".join(made.facts()), flush=True)
        made.reset()
        made.condition(given.rate, 0)
        took = _measured(made, given.rounds)
        for task, seconds in took.items():
            each = ", ".join(f"{one:.2f}" for one in seconds)
            print(f"{task}: median {statistics.median(seconds):.2f} s ({each})")
        ratio = took["db.pull"][0] / statistics.median(took["db.reset"])
        same = "equal to the source" if made.same() else "DIFFERENT"
        print(f"db.pull ÷ db.reset: {ratio:.1f}; the target is {same}")


if __name__ == "__main__":
    main()
