"""Bytes served to pulls that are killed on their way, divided by the dump's bytes.

    .venv/bin/python tests/bench/cuts.py --scale=0.4                # a dump of 77 MB
    .venv/bin/python tests/bench/cuts.py --scale=0.04 --signal=INT  # one of 8 MB

A pull is ended `--times`, each time when another share of the dump has been served, and
then runs to its end.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "support")]

from bench.contestants import invoke
from bench.track import APP, Track, Wanted, track

PULL = ("db.pull", f"--app={APP}")
AIM = "aim: ≤ 1.10 after three kills, 1.00 where a pull is stopped"


def _served(made: Track) -> int:
    """Bytes of the dump that the stand-in has sent."""
    return made.heroku.total("download").sent


def _ended(made: Track, number: signal.Signals, at: float) -> None:
    """End a pull by a signal once so many bytes have been served, in all pulls."""
    run = made.project.start(*PULL)
    run.until(lambda: _served(made) >= at)
    run.signal(number)
    run.end()


def _ratio(made: Track, number: signal.Signals, times: int) -> float:
    """The bytes served for a whole pull after `times` that were ended."""
    made.reset()
    made.heroku.forget_requests()
    size = made.dump.stat().st_size
    for one in range(1, times + 1):
        _ended(made, number, size * one / (times + 1))
    invoke(made, *PULL)
    assert made.filled(), "the target is not the source"
    return _served(made) / size


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--scale", type=float, default=0.4, help="of large.sql")
    add("--signal", choices=["KILL", "INT", "TERM", "HUP"], default="KILL")
    add("--times", type=int, default=3, help="pulls that are ended")
    add("--rate", type=float, default=2, help="MB/s per connection; 0: no bound")
    add("--connections", type=int, default=4)
    add("--rounds", type=int, default=3)
    add("--postgres", choices=["15", "18"], default="18")
    add("--cache", type=Path, help="folder that keeps the databases and dumps")
    return parser


def main() -> None:
    """Read the options, run, report."""
    given = _options().parse_args()
    number = signal.Signals[f"SIG{given.signal}"]
    wanted = Wanted(
        "large",
        given.scale,
        given.postgres,
        2,
        given.connections,
        given.cache,
        fsync=True,
    )
    with track(wanted) as made:
        print("\n".join(made.facts()), flush=True)
        made.condition(given.rate, 0)
        ratios = [_ratio(made, number, given.times) for _ in range(given.rounds)]
        each = ", ".join(f"{one:.3f}" for one in ratios)
        print(f"{number.name}, {given.times} times, served ÷ dump: {each}; {AIM}")


if __name__ == "__main__":
    main()
