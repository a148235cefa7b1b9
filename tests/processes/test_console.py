"""What a user sees, on a terminal and off it, by real processes."""

from __future__ import annotations

import re

from terminals import CONTROL, off_a_terminal, on_a_terminal

SPAN = r"\d+(?:\.\d)? s"
STORY = """
import sys, time
from dbpull import console
from dbpull.console import Reporter, out, rows
from dbpull.console.terminal import LiveLines
drawn, refresh = [], LiveLines.refresh
def counted(lines):
    refresh(lines)
    drawn.append(lines)
LiveLines.refresh = counted
def seen():
    # The first may have begun before.
    enough = len(drawn) + 2
    while sys.stderr.isatty() and len(drawn) < enough:
        time.sleep(0.01)
reporter = Reporter()
reporter.say("A [bold]line[/x] with :key: and " + "words " * 30)
reporter.note("A note")
with reporter.step("fetch", "Fetching b7 [1]", "bytes") as step:
    for done in range(0, 50_000_001, 10_000_000):
        step.progress(done, 50_000_000)
        seen()
    step.sentence = "Fetched b7"
with reporter.step("restore", "Restoring", "items") as step:
    tell = step.phase("tables")
    for done in range(1, 4):
        tell(done, 3)
        seen()
reporter.timings([], [("public.orders", 1.5, 2_000_000), ("public.x[/]", 0.0, None)])
rows(["id", "what"], [["b7", "a[b]c"], ["b8", "[/x]"]])
out("postgres://localhost/x")
"""


def test_off_a_terminal_there_are_plain_lines_on_stderr() -> None:
    ended = off_a_terminal(STORY)

    assert not CONTROL.search(ended.stderr)
    lines = ended.stderr.splitlines()
    assert lines[0] == "A [bold]line[/x] with :key: and " + "words " * 30
    assert lines[1] == "  A note"
    steps = [re.sub(rf"^\d\d:\d\d:\d\d |{SPAN}", "", line) for line in lines[2:6]]
    assert steps == [
        "Fetching b7 [1] …", "Fetched b7 ()", "Restoring …", "Restoring ()",
    ]  # fmt: skip


def test_stdout_has_only_what_scripts_read() -> None:
    ended = off_a_terminal(STORY)

    assert ended.stdout == "id\twhat\nb7\ta[b]c\nb8\t[/x]\npostgres://localhost/x\n"


def test_wishes_for_colour_do_not_colour_a_file() -> None:
    ended = off_a_terminal(STORY, FORCE_COLOR="1", TTY_COMPATIBLE="1")

    assert not CONTROL.search(ended.stderr + ended.stdout)


def test_the_closing_table_has_each_step_and_the_largest_tables() -> None:
    told = off_a_terminal(STORY).stderr

    assert re.search(rf"^  fetch +{SPAN}$", told, re.M)
    assert re.search(rf"^  total +{SPAN}$", told, re.M)
    assert re.search(
        r"^  rows of public\.orders +1\.5 s  2\.0 MB of the dump$", told, re.M
    )
    assert "public.x[/]" in told


def test_on_a_terminal_there_is_progress_that_goes_away() -> None:
    shown = on_a_terminal(STORY)

    assert "\x1b[" in shown
    assert "Fetching b7 [1]" in shown
    assert "20/50 MB" in shown
    assert "MB/s" in shown
    assert "1/3 tables" in shown
    green = r"\x1b\[32m✓\x1b\[0m"
    assert re.search(green + rf" Fetched b7 \({SPAN}\)", shown)
    assert "A [bold]line[/x] with :key:" in shown
    assert "a[b]c" in shown
    assert "\x1b[?25h" in shown, "the cursor is shown again"
