"""What a pull of a small database takes: this checkout against another one.

    .venv/bin/python tests/bench/small.py --old=../before --rounds=9

`--old` is a checkout of another commit, whose `tasks/` is run by this Python. The
rounds are interleaved, so that a machine that is busy at times is busy for both.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "support")]

from bench.contestants import pull
from bench.track import Track, Wanted, track

Measured = tuple[float, float]
"""The seconds of a pull, and the CPU seconds of its process and its programs."""


def _measured(made: Track, checkout: Path) -> Measured:
    made.project.environment["PYTHONPATH"] = str(checkout.resolve() / "tasks")
    made.reset()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = pull(made).seconds
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert made.filled(), "the target is not what the source is"
    return seconds, cpu


def _told(name: str, all_of: list[Measured]) -> str:
    seconds, cpu = ([one[n] for one in all_of] for n in (0, 1))
    return (
        f"{name}: {statistics.median(seconds):.2f} s"
        f" ({min(seconds):.2f} to {max(seconds):.2f}),"
        f" CPU of dbpull and its programs {statistics.median(cpu):.2f} s"
    )


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--old", type=Path, help="another checkout, to compare with")
    add("--scale", type=float, default=1, help="of the data: 1 is a database of 20 MB")
    add("--latency", type=float, default=0, help="ms before each of Heroku's answers")
    add("--rounds", type=int, default=9)
    add("--jobs", type=int, default=2)
    add("--postgres", choices=["15", "18"], default="18")
    add("--cache", type=Path, help="folder that keeps the databases and dumps")
    return parser


def main() -> None:
    """Read the options, run, report."""
    given = _options().parse_args()
    wanted = Wanted(
        "small", given.scale, given.postgres, given.jobs, 4, given.cache, fsync=True
    )
    checkouts = {"new": TESTS.parent} | ({"old": given.old} if given.old else {})
    with track(wanted) as made:
        print("\n".join(made.facts()), flush=True)
        made.condition(0, given.latency)
        for checkout in checkouts.values():  # bytecode is written
            _measured(made, checkout)
        took: dict[str, list[Measured]] = {name: [] for name in checkouts}
        for _ in range(given.rounds):
            for name, checkout in checkouts.items():
                took[name].append(_measured(made, checkout))
        for name, all_of in took.items():
            print(_told(name, all_of))
        assert made.same(), "the target is not equal to the source"
        if given.old:
            pairs = zip(took["new"], took["old"], strict=True)
            ratio = statistics.median(new[0] / old[0] for new, old in pairs)
            print(f"new ÷ old, the median of the rounds: {ratio:.2f}")


if __name__ == "__main__":
    main()
