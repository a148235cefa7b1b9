"""The contestants of `races.py`: the commands that people run, timed as a whole."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.track import TARGET, Track

TUNED = (
    "-c synchronous_commit=off -c maintenance_work_mem=512MB"
    " -c max_parallel_maintenance_workers=0"
)
PLAIN = ["--no-acl", "--no-owner"]
OF_EVENTS = re.compile(r" (?:TABLE DATA|CONSTRAINT|INDEX|FK CONSTRAINT) \S+ events\b")
"""What a table of contents has of that table, beside its definition; and its indexes,
which are named after it."""
LOOK = 0.02
"""Seconds between two looks at a process's memory."""


class Failed(Exception):
    """A contestant did not get there; what it said."""


@dataclass(frozen=True)
class Took:
    """How long a run was, in seconds; dbpull's own process's peak memory, in bytes."""

    seconds: float
    peak: int = 0
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Contestant:
    """What it does, in a table's words, and how it is run."""

    means: str
    run: Callable[[Track], Took]


def timed(track: Track, *commands: Sequence[str], may_fail: bool = False) -> float:
    """Run commands after one another; the seconds that they took."""
    with (track.folder / "said").open("w+") as said:
        began = time.monotonic()
        for argv in commands:
            done = subprocess.run(
                argv,
                cwd=track.folder,
                env=track.environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                check=False,
            )
            if done.returncode and not may_fail:
                said.seek(0)
                raise Failed(f"{argv[0]}: {said.read()[-400:]}")
        return time.monotonic() - began


def _curl(track: Track) -> list[str]:
    return ["curl", "--fail", "-o", "latest.dump", track.download_url()]


def _restore(track: Track, dump: Path | str, *more: str, tuned: bool = False) -> float:
    """`pg_restore -j N` of a local file into the empty target."""
    argv = ["pg_restore", *PLAIN, f"--jobs={track.wanted.jobs}", *more]
    tune = ["env", f"PGOPTIONS={TUNED}"] if tuned else []
    return timed(track, [*tune, *argv, "-d", TARGET, str(dump)])


def recipe(track: Track) -> Took:
    """The recipe of 2012. `--clean` of an empty database always complains."""
    restore = ["pg_restore", "--verbose", "--clean", *PLAIN, "-d", TARGET]
    commands = _curl(track), [*restore, "latest.dump"]
    took = timed(track, *commands, may_fail=True)
    # Else what only failed fast would have won.
    if not track.whole() or not track.filled():
        raise Failed("recipe: the dump did not arrive, or was not restored")
    return Took(took)


def parity(track: Track) -> Took:
    """What `parity` runs: `development restore staging`."""
    restore = ["pg_restore", "--verbose", *PLAIN, f"--jobs={track.wanted.jobs}"]
    return Took(
        timed(
            track,
            _curl(track),
            ["dropdb", TARGET],
            ["createdb", TARGET],
            [*restore, "-d", TARGET, "latest.dump"],
        )
    )


def pg_pull(track: Track) -> Took:
    """What `heroku pg:pull` runs, from a source that is on this very server."""
    return piped(track, track.postgres.url(track.wanted.source))


def piped(track: Track, source: str) -> Took:
    """`pg_dump -Z 0 | pg_restore` of the database at a URL."""
    dump = ["pg_dump", "-F", "c", "-Z", "0", "-N", "_heroku", source]
    restore = ["pg_restore", "-F", "c", *PLAIN, "-d", TARGET]
    environment = track.environment
    began = time.monotonic()
    with (
        subprocess.Popen(dump, env=environment, stdout=subprocess.PIPE) as first,
        subprocess.Popen(
            restore, env=environment, stdin=first.stdout, stderr=subprocess.PIPE
        ) as second,
    ):
        assert first.stdout
        first.stdout.close()  # else pg_dump would wait for us where pg_restore ends
        said = second.communicate()[1]
    took = time.monotonic() - began
    if first.returncode or second.returncode:
        raise Failed(said.decode()[-400:])
    return Took(took)


def invoke(track: Track, *words: str) -> Took:
    """Run `invoke` in the project, as a user does."""
    began = time.monotonic()
    run = track.project.start(*words)
    peak = [0]
    status = Path(f"/proc/{run.process.pid}/status")
    # Not wait4's ru_maxrss: that counts children, and us before the exec.
    watch = threading.Thread(target=_watch, args=(status, peak), daemon=True)
    watch.start()
    code = run.process.wait()
    took = time.monotonic() - began
    watch.join()
    if code:
        raise Failed(run.err[-1000:])
    run.end()
    return Took(took, peak[0])


def _watch(status: Path, peak: list[int]) -> None:
    """Note the highest VmHWM until the process has ended."""
    with suppress(OSError):
        while found := re.search(r"VmHWM:\s+(\d+) kB", status.read_text()):
            peak[0] = max(peak[0], int(found[1]) << 10)
            time.sleep(LOOK)


def pull(track: Track, *more: str) -> Took:
    """`invoke db.pull`: no dump is there before, and none stays."""
    return invoke(track, "db.pull", "--app=staging", "--delete", *more)


def first_pull(track: Track) -> Took:
    """`invoke db.pull` where nothing is known of a pull before."""
    shutil.rmtree(track.project.local, ignore_errors=True)
    return pull(track)


def restore_here(track: Track, *more: str) -> Took:
    """`invoke db.restore` of a file that is here."""
    return invoke(track, "db.restore", f"--dump={track.dump.resolve()}", *more)


def analyzed(track: Track) -> Took:
    """What leaves the same as dbpull: a restore, and then the statistics."""
    analyze = ["vacuumdb", "--analyze-only", f"--jobs={track.wanted.jobs}"]
    return Took(_restore(track, track.dump) + timed(track, [*analyze, TARGET]))


def bound(track: Track) -> Took:
    """The larger of the bare download and the better bare restore, each for itself.

    A restore does not hang on the line: it is measured once a round.
    """
    parts = {"download": timed(track, _curl(track))}
    if not track.once:
        track.once["pg_restore"] = _restore(track, track.dump)
        track.reset()
        track.once["pg_restore tuned"] = _restore(track, track.dump, tuned=True)
    parts |= track.once
    better = min(parts["pg_restore"], parts["pg_restore tuned"])
    return Took(max(parts["download"], better), parts=parts)


def serial(track: Track, *more: str) -> Took:
    """A bare pg_restore with one job, which can take a list."""
    argv = ["pg_restore", *PLAIN, *more, "-d", TARGET, str(track.dump)]
    return Took(timed(track, argv))


def serial_without_events(track: Track) -> Took:
    """The same without the rows, indexes and keys of `events`."""
    listed = subprocess.run(
        ["pg_restore", "-l", str(track.dump)],
        env=track.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    kept = [line for line in listed.stdout.splitlines() if not _of_events(line)]
    chosen = track.folder / "without-events.list"
    chosen.write_text("\n".join(kept) + "\n")
    return serial(track, "-L", str(chosen))


def _of_events(line: str) -> bool:
    return bool(OF_EVENTS.search(line)) or " INDEX public events_" in line


CURL = "curl, then"
PULLING = {
    "recipe": Contestant(f"{CURL} `pg_restore --verbose --clean`", recipe),
    "parity": Contestant(
        f"{CURL} dropdb, createdb, `pg_restore --verbose --jobs=N`", parity
    ),
    "pg_pull": Contestant(
        "`pg_dump -F c -Z 0 | pg_restore`; from the live source on the same server: "
        "no network, not throttled",
        pg_pull,
    ),
    "dbpull": Contestant("`invoke db.pull --app=staging --delete`", pull),
    "first": Contestant("the same as a first pull", first_pull),
    "bound": Contestant(
        "the larger of the bare download and the bare `pg_restore --jobs=N` from a "
        "warm file (untuned or tuned, the better)",
        bound,
    ),
}
LOCAL = {
    "dbpull": Contestant("`invoke db.restore --dump=FILE`", restore_here),
    "restore": Contestant(
        "`pg_restore --jobs=N` into an empty database",
        lambda track: Took(_restore(track, track.dump)),
    ),
    "restore_tuned": Contestant(
        f"the same with PGOPTIONS='{TUNED}'",
        lambda track: Took(_restore(track, track.dump, tuned=True)),
    ),
    "analyzed": Contestant(
        "the first, then `vacuumdb --analyze-only --jobs=N`", analyzed
    ),
}
SERIAL = {
    "serial": Contestant("`pg_restore`, one job, from a local file", serial),
    "serial_skip": Contestant(
        "the same without the rows, indexes and keys of events", serial_without_events
    ),
}


def contestants(*, local: bool, skip_events: bool) -> dict[str, Contestant]:
    """Those that run, by name."""
    if not skip_events:
        return LOCAL if local else PULLING
    usual = (LOCAL if local else PULLING)["dbpull"]
    task = restore_here if local else pull
    skipping = Contestant(
        f"{usual.means[:-1]} --skip-data=events`",
        lambda track: task(track, "--skip-data=events"),
    )
    return {"dbpull": usual, "dbpull_skip": skipping} | SERIAL
