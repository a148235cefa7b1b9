"""dbpull against what people run instead, on the same server and the same dump.

    .venv/bin/python tests/bench/races.py --data=large --rates=0,20,10,5 --rounds=5
    .venv/bin/python tests/bench/races.py --data=large --local
    .venv/bin/python tests/bench/races.py --data=large --rates=10 --skip-events
    .venv/bin/python tests/bench/races.py --rates=5,10 --latency=0 --grown-from=0.97 \\
        --contestants=dbpull,first,bound

Each contestant starts from an empty database `development`; making it so is not timed.
The rounds are interleaved, so that a machine that is busy at times is busy for all.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "support")]

from bench.contestants import Contestant, Failed, Took, contestants
from bench.track import Track, Wanted, track

Line = tuple[float, float]
"""MB/s per connection, and milliseconds."""
HEAD = (
    "| MB/s | ms | contestant | median s | least, most | ÷ dbpull | load | peak MB |",
    "|---:|---:|---|---:|---:|---:|---:|---:|",
)
LATENCY = (
    "ms: the stand-in for Heroku sleeps so long before each answer, of the APIs and of "
    "the download host; connecting and TLS are not delayed",
    "MB/s: bytes a second of each connection to the download host; 0: no bound",
    "the stand-in, curl, the server and the contestant share the machine's cores",
    "÷ dbpull: the median over rounds of a contestant's time by dbpull's in that round",
    "load: the machine's average of one minute when a run began, median",
    "peak MB: the most memory of dbpull's own process (VmHWM), over the rounds",
)


@dataclass
class Run:
    """One contestant's run in a round; `took` is None where it failed."""

    took: Took | None
    load: float


@dataclass
class Races:
    """What was run so far."""

    track: Track
    contestants: Mapping[str, Contestant]
    runs: dict[tuple[Line, str], list[Run]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def run(self, lines: list[Line], rounds: int) -> None:
        """Run them all, each once in each round."""
        for number in range(1, rounds + 1):
            self.track.once.clear()
            for line in lines:
                self.track.condition(*line)
                for name in self.contestants:
                    self._one(number, line, name)

    def _one(self, number: int, line: Line, name: str) -> None:
        self.track.reset()
        run = Run(None, os.getloadavg()[0])
        where = f"round {number}, {line[0]:g} MB/s, {line[1]:g} ms, {name}"
        try:
            run.took = self.contestants[name].run(self.track)
        except (Failed, AssertionError) as error:
            print(f"{where}: FAILED: {error}", flush=True)
        else:
            print(f"{where}: {run.took.seconds:.2f} s", flush=True)
        self.runs.setdefault((line, name), []).append(run)
        if name == "dbpull" and not self.remarks and number == 1 and run.took:
            same = "equal to the source" if self.track.same() else "DIFFERENT"
            self.remarks.append(f"dbpull's target after its first run: {same}")
            print(self.remarks[-1], flush=True)

    def table(self) -> Iterator[str]:
        """A row for each line and contestant, in Markdown."""
        yield from HEAD
        for (line, name), runs in self.runs.items():
            yield f"| {line[0]:g} | {line[1]:g} | {name} | {self._cells(line, runs)} |"

    def _cells(self, line: Line, runs: list[Run]) -> str:
        seconds = [run.took.seconds for run in runs if run.took]
        if not seconds:
            return "failed | | | |"
        failed = len(runs) - len(seconds)
        peak = max(run.took.peak for run in runs if run.took)
        cells = (
            f"{statistics.median(seconds):.2f}{f' ({failed} failed)' * bool(failed)}",
            f"{min(seconds):.2f}, {max(seconds):.2f}",
            self._ratio(line, runs),
            f"{statistics.median(run.load for run in runs):.1f}",
            f"{peak / 1e6:.0f}" if peak else "",
        )
        return " | ".join(cells)

    def _ratio(self, line: Line, runs: list[Run]) -> str:
        pairs = zip(runs, self.runs.get((line, "dbpull"), []), strict=False)
        ratios = [
            a.took.seconds / b.took.seconds for a, b in pairs if a.took and b.took
        ]
        return f"{statistics.median(ratios):.2f}" if ratios else ""

    def parts(self) -> Iterator[str]:
        """What the bound is made of, and the events' share, where they were run."""
        for (line, name), runs in self.runs.items():
            parts = [run.took.parts for run in runs if run.took and run.took.parts]
            told = [
                f"{part} {statistics.median(one[part] for one in parts):.2f} s"
                for part in (parts[0] if parts else ())
            ]
            if told:
                yield f"{name} at {line[0]:g} MB/s, {line[1]:g} ms: {', '.join(told)}"
        for line in dict.fromkeys(line for line, _ in self.runs):
            pairs = ("dbpull_skip", "dbpull"), ("serial_skip", "serial")
            for skip, whole in pairs:
                medians = self._median(line, skip), self._median(line, whole)
                if all(medians):
                    yield (
                        f"{skip} ÷ {whole} at {line[0]:g} MB/s, {line[1]:g} ms: "
                        f"{medians[0] / medians[1]:.2f}: without its rows"
                        f" {1 - medians[0] / medians[1]:.0%} of the time is saved"
                    )

    def _median(self, line: Line, name: str) -> float:
        took = [run.took.seconds for run in self.runs.get((line, name), []) if run.took]
        return statistics.median(took) if took else 0.0

    def report(self, rounds: int) -> str:
        """All of it, in Markdown."""
        means = (f"{name}: {one.means}" for name, one in self.contestants.items())
        bullets = (*self.track.facts(), f"{rounds} rounds, interleaved")
        notes = (*means, *LATENCY, *self.parts(), *self.remarks)
        lines = (
            "# Races",
            "",
            *(f"- {one}" for one in bullets),
            "",
            *self.table(),
            "",
            *(f"- {one}" for one in notes),
        )
        return "\n".join(lines) + "\n"


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", choices=["large", "small", "many"], default="large")
    add("--scale", type=float, default=1.0, help="of the data")
    add("--grown-from", type=float, default=0.0, help="scale of a pull before")
    add("--rates", type=_numbers, default=[0, 20, 10, 5], help="MB/s; 0: no bound")
    add("--latency", type=_numbers, default=[0, 80], help="ms before each answer")
    add("--rounds", type=int, default=5)
    add("--jobs", type=int, default=2)
    add("--connections", type=int, default=1, help="download connections of dbpull")
    add("--contestants", type=lambda text: text.split(","), help="some of them only")
    add("--postgres", choices=["15", "18"], default="18")
    add("--skip-events", action="store_true", help="dbpull with and without skip_data")
    add("--local", action="store_true", help="no download: db.restore of a file")
    add("--fsync", choices=["on", "off"], default="on")
    add("--cache", type=Path, help="folder that keeps the databases and dumps")
    add("--markdown", type=Path, help="file to write the report to, too")
    return parser


def main() -> None:
    """Read the options, run, report."""
    parser = _options()
    given = parser.parse_args()
    if given.skip_events and given.data == "many":
        parser.error("--skip-events needs a database with events: large or small")
    chosen = contestants(local=given.local, skip_events=given.skip_events)
    if unknown := set(given.contestants or ()) - set(chosen):
        parser.error(
            f"no contestant {', '.join(unknown)}; there are {', '.join(chosen)}"
        )
    wanted = Wanted(
        given.data,
        given.scale,
        given.postgres,
        given.jobs,
        given.connections,
        given.cache,
        fsync=given.fsync == "on",
        grown_from=given.grown_from,
    )
    lines = [(rate, late) for late in given.latency for rate in given.rates]
    with track(wanted) as made:
        usual = [name for name in chosen if name != "first" or given.grown_from]
        names = given.contestants or usual
        races = Races(made, {name: chosen[name] for name in names})
        print("\n".join(made.facts()), flush=True)
        races.run([(0.0, 0.0)] if given.local else lines, given.rounds)
        report = races.report(given.rounds)
    print(f"\n{report}", end="")
    if given.markdown:
        given.markdown.write_text(report, encoding="utf-8")


if __name__ == "__main__":
    main()
