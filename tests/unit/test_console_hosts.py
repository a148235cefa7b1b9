"""What is told of several hosts at once, off a terminal."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Self

import pytest

from dbpull.console import HOSTS_DISPLAY, Output, Reporter

STAMP = re.compile(r"^\d\d:\d\d:\d\d ")
Read = Callable[[], list[str]]


class Clock:
    """time.monotonic, set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def after(self, seconds: float) -> Self:
        self.now += seconds
        return self


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("time.monotonic", clock)
    return clock


@pytest.fixture
def read(capsys: pytest.CaptureFixture[str]) -> Read:
    """The lines said since it was last called, without the time of day."""

    def lines() -> list[str]:
        return [STAMP.sub("", line) for line in capsys.readouterr().err.splitlines()]

    return lines


def take(reporter: Reporter, clock: Clock, **seconds: float) -> None:
    for name, took in seconds.items():
        with reporter.step(name, name):
            clock.after(took)


def test_off_a_terminal_every_line_names_its_host(read: Read, clock: Clock) -> None:
    reporter = Reporter("devbox")

    reporter.say("A line\nand another")
    reporter.note("A note")
    with reporter.step("fetch", "Fetching", "bytes") as step:
        clock.after(31)
        step.progress(2_000_000, 9_000_000)

    assert read() == [
        "devbox: A line",
        "devbox: and another",
        "devbox:   A note",
        "devbox: Fetching …",
        "devbox:   2.0/9.0 MB",
        "devbox: Fetching (31 s)",
    ]


def test_what_concerns_all_hosts_names_none(read: Read) -> None:
    reporter, alone = Reporter("devbox"), Reporter()

    reporter.for_all.say("Asked Heroku")

    assert read() == ["Asked Heroku"]
    assert reporter.for_all is reporter.for_all, "it has a story of its own"
    assert alone.for_all is alone


def test_the_table_adds_up_what_a_hosts_tellers_took(read: Read, clock: Clock) -> None:
    with HOSTS_DISPLAY.shared(["devbox", "ci", "gone"]):
        first = Reporter("devbox")
        first.backup = "b101"
        take(first, clock, fetch=20, check=3)
        first.end()
        other = Reporter("ci")
        other.size = 158_000_000
        take(other, clock.after(2), fetch=4)
        other.end()
        second = Reporter("devbox")
        take(second, clock.after(5), fetch=1, restore=30)
        second.end()
        clock.after(1000)
        second.end()
        read()

        HOSTS_DISPLAY.table({"devbox": "done", "ci": "failed: no room\nleft"})

    assert read() == [
        "",
        "host    backup    size  fetch  restore  total  result",
        "devbox  b101         -   21 s     30 s   65 s  done",
        "ci      -       158 MB  4.0 s        -  6.0 s  failed: no room left",
        "gone    -            -      -        -      -  -",
    ]


def test_the_table_has_only_columns_with_something_in_them(read: Read) -> None:
    with HOSTS_DISPLAY.shared(["devbox", "ci"]):
        HOSTS_DISPLAY.table(
            {"ci": "failed: unreachable", "devbox": "failed: unreachable"}
        )

    assert read() == [
        "",
        "host    result",
        "devbox  failed: unreachable",
        "ci      failed: unreachable",
    ]


def test_the_table_can_be_told_once_all_is_over(read: Read) -> None:
    with HOSTS_DISPLAY.shared(["devbox", "ci"]):
        Reporter("devbox").backup = "b7"

    HOSTS_DISPLAY.table({"devbox": "done", "ci": "done"})

    assert [line.split()[:2] for line in read()[1:]] == [
        ["host", "backup"],
        ["devbox", "b7"],
        ["ci", "-"],
    ]


def test_hosts_of_an_earlier_run_are_in_no_later_table(read: Read) -> None:
    with HOSTS_DISPLAY.shared(["devbox"]):
        Reporter("devbox").backup = "b7"
    with HOSTS_DISPLAY.shared(["devbox", "ci"]):
        HOSTS_DISPLAY.table({"devbox": "done", "ci": "done"})

    assert read() == ["", "host    result", "devbox  done", "ci      done"]


def test_of_several_hosts_none_has_a_closing_table(read: Read, clock: Clock) -> None:
    with HOSTS_DISPLAY.shared(["devbox", "ci"]):
        reporter = Reporter("devbox")
        take(reporter, clock, fetch=20)
        read()
        reporter.timings([], [("public.x", 1.0, 2)])
        reporter.tell_slow()

    assert read() == []


def test_the_only_host_has_its_closing_table_without_its_name(
    read: Read, clock: Clock
) -> None:
    with HOSTS_DISPLAY.shared(["devbox"]):
        reporter = Reporter("devbox")
        take(reporter, clock, fetch=20)
        read()
        reporter.timings([], [])

    assert read() == [
        "",
        "20 of 20 s waited for the download.",
        "  fetch     20 s",
        "  total     20 s",
    ]


def test_of_quiet_hosts_nothing_is_told(read: Read, clock: Clock) -> None:
    with HOSTS_DISPLAY.shared(["devbox", "ci"]):
        for host in ("devbox", "ci"):
            reporter = Reporter(host, output=Output(quiet=True))
            reporter.for_all.say("Asked Heroku")
            reporter.note("A note")
            take(reporter, clock, fetch=20)
            reporter.end()
        HOSTS_DISPLAY.table({"devbox": "done", "ci": "done"})

    assert read() == []


def test_each_thread_may_begin_its_story_at_the_same_time(read: Read) -> None:
    hosts = [f"host{number}" for number in range(20)]
    at_once = threading.Barrier(len(hosts))

    def begin(host: str) -> None:
        at_once.wait()
        Reporter(host).backup = f"b-{host}"

    with HOSTS_DISPLAY.shared(hosts):
        threads = [threading.Thread(target=begin, args=[host]) for host in hosts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    HOSTS_DISPLAY.table(dict.fromkeys(hosts, "done"))

    told = [line.split() for line in read()[2:]]
    assert [cells[:2] for cells in told] == [[host, f"b-{host}"] for host in hosts]


def test_a_story_goes_on_until_its_end() -> None:
    reporter = Reporter("devbox")

    assert reporter.began <= reporter.ended <= time.monotonic()
    reporter.end()
    ended = reporter.ended

    assert reporter.ended == ended
