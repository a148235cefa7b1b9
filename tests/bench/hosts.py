"""What `fab -H` costs: bytes through the laptop, and two hosts against one.

    .venv/bin/python tests/bench/hosts.py --megabytes=100 --rate=10 --rounds=5
    .venv/bin/python tests/bench/hosts.py --megabytes=6 --latency=80 --rounds=5

The second shows what round trips cost: a host behind a line with that latency (ms,
there and back), against one without and against `invoke`.

Real sshds, real servers and the stand-in for Heroku, all on this machine; the rounds
are interleaved, so that a machine that is busy at times is busy for both.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import once
from databases import FOLDERS
from faulty_stand_in import (
    AppConfig,
    BackupConfig,
    Config,
    DatabaseConfig,
    StandIn,
    faults,
)
from machines import Machine, fab, introduce, machine
from projects import Project
from tap import Tap
from targets import Watched, watched

# Rows that gzip shrinks to about the given megabytes (hexadecimal digits halve).
ROWS = """
create table events (id bigint primary key, kind text, body text);
insert into events select g, md5(g::text), md5(g || 'a') || md5(g || 'b')
  from generate_series(1, {rows}) g;
create index events_kind on events (kind);
create table users (id int primary key, email text unique);
insert into users select g, md5(g::text) || '@example.com'
  from generate_series(1, 20000) g;
"""
ROWS_PER_MEGABYTE = 17_000
PULL = "db.pull", "--app=staging", "--delete"


@dataclass
class Stage:
    """Two hosts, a server for each, and an app with one backup."""

    heroku: StandIn
    source: Watched
    size: int
    """Of the dump, in bytes."""
    project: Project
    taps: dict[str, Tap]
    targets: dict[str, Watched]

    def pull(self, hosts: str, latency: float = 0.0) -> float:
        """Run `fab -H … db.pull --delete`; the seconds that it took."""
        for tap in self.taps.values():
            tap.delay = latency / 2000
        began = time.monotonic()
        fab(self.project, hosts, *PULL).succeeds()
        return time.monotonic() - began

    def pull_here(self) -> float:
        """Run `invoke db.pull --delete` into the server of devbox."""
        began = time.monotonic()
        url = self.targets["devbox"].url("here")
        self.project.invoke(*PULL, f"--target={url}").succeeds()
        return time.monotonic() - began


@contextmanager
def stage(megabytes: int) -> Iterator[Stage]:
    """Put it all up, in a folder that is gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        os.environ[once.FOLDER] = str(folder)
        names = ("buildbox", min(FOLDERS)), ("devbox", max(FOLDERS))
        servers = {
            name: stack.enter_context(watched(FOLDERS[postgres]))
            for name, postgres in names
        }
        source = servers["buildbox"]  # the older: its dump goes into both
        source.database(ROWS.format(rows=megabytes * ROWS_PER_MEGABYTE), name="shop")
        dump = source.dump("shop", folder / "shop.dump")
        database = DatabaseConfig("postgresql-a", source.url("shop"))
        backup = BackupConfig(number=1, age=3600, dump=str(dump))
        app = AppConfig("shop-eu", databases=(database,), backups=(backup,))
        config = Config((app,), pg_dump=source.program("pg_dump"), dump_at_start=False)
        heroku = stack.enter_context(StandIn.start(config))
        trust = {"CURL_CA_BUNDLE": str(heroku.ca)}
        taps = {
            name: stack.enter_context(
                Tap(_machine(stack, name, FOLDERS[postgres], trust))
            )
            for name, postgres in names
        }
        project = _project(folder, heroku, servers, taps)
        size = dump.stat().st_size
        yield Stage(heroku, source, size, project, taps, servers)


def _machine(
    stack: ExitStack, name: str, programs: Path, trust: dict[str, str]
) -> Machine:
    made = machine(name=name, programs=programs, environment=trust)
    return stack.enter_context(made)


def _project(
    folder: Path, heroku: StandIn, servers: dict[str, Watched], taps: dict[str, Tap]
) -> Project:
    project = Project.at(folder / "project", heroku)
    project.forks = False  # a user's Python has its imports to do
    hosts = "".join(
        f"    {name}: {{target: '{server.url('development')}'}}\n"
        for name, server in servers.items()
    )
    project.configure(f"db:\n  apps: {{staging: shop-eu}}\n  hosts:\n{hosts}")
    home = Path(project.environment["HOME"])
    introduce(home, *(tap.machine for tap in taps.values()))
    return project


def show(of: Stage, rate: float, rounds: int) -> None:
    """Print what is measured."""
    print(f"dump: {of.size / 1e6:.0f} MB; load average {os.getloadavg()[0]:.1f}")
    of.heroku.forget_requests()
    both = of.pull("devbox,buildbox")
    captures = len(of.heroku.requests(method="POST", path="/backups"))
    print(f"devbox,buildbox, no bound: {both:.1f} s, {captures} captures")
    print(f"downloaded: {of.heroku.total('download').sent / of.size:.3f} dumps")
    passed = sum(tap.passed for tap in of.taps.values())
    print(f"through the laptop: {passed / 1e6:.3f} MB")
    wanted = of.source.likeness("shop", FOLDERS[max(FOLDERS)])
    for name, server in of.targets.items():
        same = server.likeness("development", FOLDERS[max(FOLDERS)]) == wanted
        print(f"{name}: {'equal to the source' if same else 'DIFFERENT'}")
    of.heroku.misbehave(faults.throttle(rate * 1e6))
    one, two = [], []
    for _ in range(rounds):
        one.append(of.pull("devbox"))
        two.append(of.pull("devbox,buildbox"))
        print(f"one {one[-1]:.1f} s, two {two[-1]:.1f} s", flush=True)
    ratio = statistics.median(b / a for a, b in zip(one, two, strict=True))
    medians = statistics.median(one), statistics.median(two)
    print(f"at {rate:g} MB/s: one {medians[0]:.1f} s, two {medians[1]:.1f} s")
    print(f"two hosts take {ratio:.2f} times one host's time (median of {rounds})")


def show_trips(of: Stage, latency: float, rounds: int) -> None:
    """Print what a pull of a small dump takes, by place and latency (ms)."""
    pulls: dict[str, Callable[[], float]] = {
        "invoke": of.pull_here,
        "devbox": lambda: of.pull("devbox"),
        "devbox,buildbox": lambda: of.pull("devbox,buildbox"),
        f"devbox, {latency:g} ms": lambda: of.pull("devbox", latency),
        f"devbox,buildbox, {latency:g} ms": lambda: of.pull("devbox,buildbox", latency),
    }
    seconds: dict[str, list[float]] = {name: [] for name in pulls}
    for pull in pulls.values():
        pull()  # what only the first does
    for _ in range(rounds):
        for name, pull in pulls.items():
            seconds[name].append(pull())
    print(f"dump: {of.size / 1e6:.1f} MB; medians of {rounds} rounds")
    for name, each in seconds.items():
        print(f"{name}: {statistics.median(each):.2f} s", flush=True)
    log = of.taps["devbox"].machine.log
    before = log.read_text().count("Starting session")
    of.pull("devbox")
    print(f"sessions: {log.read_text().count('Starting session') - before}")


def main() -> None:
    """Read the options, and show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rate", type=float, default=10, help="MB/s per connection")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--latency", type=float, help="ms: show what round trips cost")
    given = parser.parse_args()
    with stage(given.megabytes) as made:
        if given.latency is None:
            show(made, given.rate, given.rounds)
        else:
            show_trips(made, given.latency, given.rounds)


if __name__ == "__main__":
    main()
