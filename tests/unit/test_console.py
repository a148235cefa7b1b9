"""What is told of a step, and of a run's times."""

from __future__ import annotations

import re
import time
from io import BytesIO, StringIO, TextIOWrapper

import pytest
from rich.console import Console

from dbpull.console import Reporter, Step
from dbpull.console.chart import drawn, explained, matter
from dbpull.console.line import fitted
from dbpull.console.log import Log
from dbpull.console.screen import own_screen
from dbpull.console.streams import drawable
from dbpull.console.terminal import LiveLines, Terminal


def test_a_step_that_fails_is_not_told_as_done(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reporter = Reporter()

    with pytest.raises(RuntimeError), reporter.step("fetch", "Fetching"):
        raise RuntimeError

    assert re.fullmatch(r"\d\d:\d\d:\d\d Fetching …\n", capsys.readouterr().err)
    assert reporter.doing == "Fetching"
    assert reporter.steps == []


def test_a_long_step_off_a_terminal_tells_now_and_then_how_far_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now)
    reporter = Reporter()

    with reporter.step("fetch", "Fetching", "bytes") as step:
        step.progress(1_000_000, 9_000_000)
        now += 31
        step.progress(2_000_000, 9_000_000)
        step.progress(3_000_000, 9_000_000)
        now += 31
        step.report(4_000_000, 0, "orders")

    said = capsys.readouterr().err.splitlines()
    assert all(re.match(r"\d\d:\d\d:\d\d ", line) for line in said)
    assert [line[9:] for line in said] == [
        "Fetching …",
        "  2.0/9.0 MB",
        "  4.0 MB, orders",
        "Fetching (62 s)",
    ]


def test_a_step_nobody_shows_takes_progress_too() -> None:
    Step("x", "x", "bytes").progress(1, 2)


def arriving(seconds: float = 5.0) -> Step:
    """A download under way: 300 kB in each second."""
    step = Step("restore", "Fetching and restoring shop-eu b101", "bytes")
    now = time.monotonic()
    step.report(2_300_000, 7_700_000, "public.audit_events")
    step._arrived = [
        (now - seconds, 2_300_000 - 300_000 * int(seconds)),
        (now, 2_300_000),
    ]
    return step


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that stands still."""
    now = time.monotonic()
    monkeypatch.setattr("time.monotonic", lambda: now)


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            130,
            "Fetching and restoring shop-eu b101 ━━━━━━━─────────────────  29 %"
            " 2.3/7.7 MB 300 kB/s 18 s left public.audit_events",
        ),
        (
            100,
            "Fetching and restoring shop-eu b101 ━━━━━━━─────────────────  29 %"
            " 2.3/7.7 MB 300 kB/s 18 s left",
        ),
        (
            80,
            "Fetching and restoring shop-eu b101 ━━──────  29 %"
            " 2.3/7.7 MB 300 kB/s 18 s left",
        ),
        (60, "Fetching and res… ━─────  29 % 2.3/7.7 MB 300 kB/s 18 s left"),
        (50, "Fetching and …  29 % 2.3/7.7 MB 300 kB/s 18 s left"),
        (40, "Fetching and …  29 % 2.3/7.7 MB 300 kB/s"),
    ],
)
def test_a_live_line_fits_its_terminal(still: None, width: int, line: str) -> None:
    pieces = fitted(arriving(), width)

    assert "".join(text for text, _ in pieces) == line


def test_a_live_line_is_never_too_wide(still: None) -> None:
    for width in range(1, 140):
        line = "".join(text for text, _ in fitted(arriving(), width, head="ci * "))

        assert len(line) <= max(width, 6)
        assert "29 %" in line or width < 25


def test_a_rate_is_that_of_the_last_seconds_and_falls_where_nothing_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    step = Step("fetch", "Fetching", "bytes")
    for done in range(0, 30_000_000, 1_000_000):
        step.progress(done, 100_000_000)
        now += 1
    rate = step.rate
    now += 60

    assert rate == pytest.approx(1_000_000, rel=0.2)
    assert step.rate is not None
    assert step.rate < 200_000
    step.progress(0, None)  # another object: all starts over
    assert step.rate is None


@pytest.mark.parametrize(
    ("seconds", "total", "said", "told"),
    [
        ({"fetch": 24, "restore": 26}, 27, "24 of 27 s waited for the download.", True),
        ({"fetch": 4, "restore": 20}, 27, "20 of 27 s went into the restore.", True),
        (
            {"capture": 50, "restore": 20},
            180,
            "50 s of 3 min waited for the backup.",
            False,
        ),
        ({"fetch": 2, "restore": 3}, 4, "2.0 of 4.0 s waited for the download.", False),
        ({}, 1, "", False),
    ],
)
def test_what_took_most_is_one_sentence(
    seconds: dict[str, float], total: float, said: str, told: bool
) -> None:
    steps = [Step(name, "", "", seconds=took) for name, took in seconds.items()]

    assert explained(steps, total) == said
    assert matter(steps, total) == told


BARS = [
    ("download", "shop b101", 10.0, 14.0),
    ("rows", "two words", 10.0, 12.0),
    ("reference", "users_order_fkey", 12.0, 14.0),
    ("rest", "the rest", 14.0, 20.0),
    ("index", "too_short", 12.0, 12.05),
]


@pytest.mark.parametrize("width", [60, 80, 130])
def test_a_chart_is_as_wide_as_the_terminal_and_has_an_axis(width: int) -> None:
    *lines, axis, others = ["".join(t for t, _ in line) for line in drawn(BARS, width)]

    assert [len(line) for line in lines] == [width] * 4
    assert [line.split("  ")[1] for line in lines] == [
        "download shop b101", "rows two words", "foreign key users_order_fkey", "other",
    ]  # fmt: skip
    begins = [line.index("█") for line in lines]
    assert begins[0] == begins[1] < begins[2] < begins[3]
    assert axis.split()[:2] == ["0", "s"]
    assert axis.endswith("10 s")
    assert len(axis) == width - 10
    assert others == "  and 1 shorter, 0.1 s together"


def test_an_encoding_that_can_not_draw_gets_ascii() -> None:
    written = BytesIO()
    stream = TextIOWrapper(written, encoding="latin-1")
    terminal = Terminal(
        Console(file=stream, force_terminal=True, width=80, color_system=None)
    )

    terminal.done("Fetched shop → here …", "")
    terminal.draw(fitted(arriving(), 80))
    stream.flush()

    told = written.getvalue().decode("ascii").splitlines()
    assert told[0] == "+ Fetched shop -> here ..."
    assert re.search(r" ##------  29 % ", told[1])
    assert drawable("ü ✓ 中", "latin-1") == r"ü + \u4e2d"
    assert drawable("ü ✓", "utf-8") == "ü ✓"
    assert drawable("ü ✓", None) == "ü ✓"


def test_a_terminal_that_can_not_move_its_cursor_gets_a_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    dumb = own_screen()
    monkeypatch.setenv("TERM", "xterm")

    assert isinstance(dumb, Log)
    assert isinstance(own_screen(), Terminal)


@pytest.mark.parametrize(
    ("variable", "cleared"), [("TMUX", True), ("VTE_VERSION", True), ("STY", False)]
)
def test_rows_that_a_narrower_terminal_has_made_of_a_line_are_cleared(
    variable: str, cleared: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TMUX", "STY", "XTERM_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "1")
    written = StringIO()
    console = Console(file=written, force_terminal=True, width=80, height=30)

    with LiveLines(console, auto_refresh=False) as lines:
        lines.add(Step("fetch", "Fetching " + "a-long-name " * 9, ""), "")
        lines.refresh()
        lines.refresh()
        same = written.getvalue()
        console.width = 30  # 77 characters are now in three rows
        lines.refresh()
        narrower = written.getvalue()[len(same) :]

    up = "\x1b[1A\x1b[2K"
    assert up not in same
    assert narrower.count(up) == (2 if cleared else 0)
