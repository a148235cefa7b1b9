"""A live pull over a slow line against a bare pg_dump, and against `heroku pg:pull`.

    .venv/bin/python tests/bench/live.py --scale=0.1 --rate=10 --rounds=5

The source's answers come through a forwarder that lets so many MB/s pass. Each
contestant starts from an empty database `development`. The rounds are interleaved, so
that a machine that is busy at times is busy for all. How long the source's transaction
lasts is asked of the source, some dozen times a second.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "support")]

import forwarder
from bench.contestants import Failed, Took, invoke, piped, timed
from bench.track import Track, Wanted, track
from dbpull.live.tunnel import tunnel

LOOK = 0.03
"""Seconds between two looks at the source's transactions."""
LASTS = """select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)
  from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid()
  and application_name in ('dbpull', 'pg_dump')"""
WANTED = (
    ("the whole pull ÷ a bare pg_dump", "dbpull", "bare", "seconds", 1.15),
    ("the source's transaction ÷ a bare one", "dbpull", "bare", "transaction", 1.05),
    ("four connections ÷ one, with --jobs=4", "parallel", "dbpull", "seconds", 0.4),
    ("`heroku pg:pull` ÷ the whole pull", "pg_pull", "dbpull", "seconds", 1.5),
)
"""What is compared: in words, two contestants, what of them, and the aim."""
NOTES = (
    "MB/s: bytes a second of the source's answers, through a forwarder, on each"
    " connection",
    "source, target, forwarder and contestant share the machine's cores",
    "÷: the median over rounds of one contestant's by the other's in that round",
)


@dataclass
class Run:
    """A contestant's run: its seconds, and those of the source's transaction."""

    seconds: float
    transaction: float


@dataclass
class Race:
    """The contestants, on a track whose source is behind a slow line."""

    track: Track
    url: str
    """The source's, through the forwarder."""
    runs: dict[str, list[Run]] = field(default_factory=dict)

    def run(self, rounds: int) -> None:
        """Run them all, each once in each round."""
        for number in range(1, rounds + 1):
            for name, contestant in CONTESTANTS.items():
                self.track.reset()
                with lasting(self.track) as longest:
                    seconds = contestant(self).seconds
                self.runs.setdefault(name, []).append(Run(seconds, longest[0]))
                told = f"{seconds:.2f} s, transaction {longest[0]:.2f} s"
                print(f"round {number}, {name}: {told}", flush=True)
                if name != "bare" and not self.track.filled():
                    raise Failed(f"{name} has not filled the target")

    def report(self, rate: float) -> Iterator[str]:
        """All of it, in Markdown."""
        yield "# A live pull\n"
        for fact in (*self.track.facts(), f"{rate:g} MB/s", *NOTES):
            yield f"- {fact}"
        yield "\n| contestant | median s | least, most | transaction, median s |"
        yield "|---|---:|---:|---:|"
        for name, runs in self.runs.items():
            took = [run.seconds for run in runs]
            lasted = statistics.median(run.transaction for run in runs)
            span = f"{min(took):.2f}, {max(took):.2f}"
            yield f"| {name} | {statistics.median(took):.2f} | {span} | {lasted:.2f} |"
        yield "\n| compared | ÷ | aim |"
        yield "|---|---:|---:|"
        for words, one, other, of, aim in WANTED:
            pairs = zip(self.runs[one], self.runs[other], strict=True)
            ratio = statistics.median(getattr(a, of) / getattr(b, of) for a, b in pairs)
            yield f"| {words} | {ratio:.2f} | {aim:.2f} |"


def bare(race: Race) -> Took:
    """`pg_dump -Fc | cat >file`, with the compression that dbpull asks for."""
    script = 'pg_dump -Fc -Z1 "$1" | cat >latest.dump'
    return Took(timed(race.track, ["sh", "-c", script, "sh", race.url]))


def pg_pull(race: Race) -> Took:
    """What `heroku pg:pull` runs."""
    return piped(race.track, race.url)


def dbpull(race: Race) -> Took:
    """`invoke db.pull --source=postgres://…`: no dump is there before or after."""
    return invoke(race.track, "db.pull", f"--source={race.url}", "--delete")


def parallel(race: Race) -> Took:
    """The same by four connections, each as fast as the only one of the others."""
    words = f"--source={race.url}", "--delete", "--connections=4"
    return invoke(race.track, "db.pull", *words)


CONTESTANTS: dict[str, Callable[[Race], Took]] = {
    "bare": bare,
    "dbpull": dbpull,
    "parallel": parallel,
    "pg_pull": pg_pull,
}


@contextmanager
def lasting(course: Track) -> Iterator[list[float]]:
    """Watch the source's transactions; the list holds the seconds of the longest."""
    longest = [0.0]
    ended = threading.Event()
    sql = LASTS.format(course.wanted.source)

    def watch() -> None:
        with course.postgres.session("postgres") as session:
            while not ended.wait(LOOK):
                longest[0] = max(longest[0], float(session.ask(sql)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield longest
    finally:
        ended.set()
        watcher.join()


def main() -> None:
    """Read the options, run, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--scale", type=float, default=0.1, help="of the data: 1.4 GB at 1")
    add("--rate", type=float, default=10.0, help="MB/s")
    add("--rounds", type=int, default=5)
    add("--jobs", type=int, default=2)
    add("--postgres", choices=["15", "18"], default="18")
    add("--cache", type=Path, help="folder that keeps the databases")
    given = parser.parse_args()
    wanted = Wanted(
        "large", given.scale, given.postgres, given.jobs, 1, given.cache, fsync=True
    )
    with track(wanted) as course:
        url = urlsplit(course.postgres.url(wanted.source))
        login, _, place = url.netloc.rpartition("@")
        line = forwarder.command(place, rate=round(given.rate * 1e6))
        with tunnel(line) as port:
            race = Race(
                course, url._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
            )
            race.run(given.rounds)
            print("\n".join(("", *race.report(given.rate))))


if __name__ == "__main__":
    main()
