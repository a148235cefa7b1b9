"""What a user sees of several hosts at once, each told of by a thread of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from terminals import CONTROL, off_a_terminal, on_a_terminal

THREADS = """
import sys, threading
from dbpull.console import HOSTS_DISPLAY, Reporter, out

def each(hosts, work):
    threads = [threading.Thread(target=work, args=[host]) for host in hosts]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""
# Each thread goes on where the other has come as far: nothing waits for a clock.
TWO_HOSTS = (
    THREADS
    + """
hosts = ["devbox", "ci"]
both = threading.Barrier(2)

def pull(host):
    reporter = Reporter(host)
    reporter.say("A [bold]line[/x]")
    with reporter.step("fetch", "Fetching b7 [1]", "bytes") as step:
        both.wait()
        for done in range(0, 30_000_000, 10_000_000):
            step.progress(done, 50_000_000)
        both.wait()
        if host == "ci":
            reporter.for_all.step("x", "Asking").__enter__()  # draws what there is
        both.wait()
        step.sentence = "Fetched b7"
    reporter.note("A note")
    with reporter.step("restore", "Restoring", "items") as step:
        tell = step.phase("tables")
        for done in range(3):
            tell(done, 3)
        both.wait()
        if host == "devbox":
            reporter.for_all.step("x", "Asking more").__enter__()
        both.wait()
    reporter.timings([], [])
    reporter.end()

with HOSTS_DISPLAY.shared(hosts):
    each(hosts, pull)
"""
)
CROWD = (
    THREADS
    + """
sys.setswitchinterval(1e-5)
hosts = [f"host{number}" for number in range(8)]

def chat(host):
    reporter = Reporter(host)
    for number in range(12):
        with reporter.step("s", f"Doing {number}") as step:
            step.progress(number, 12)
            reporter.say(f"says {number}")
            step.sentence = f"did {number}"

with HOSTS_DISPLAY.shared(hosts):
    each(hosts, chat)
"""
)
CODE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])|\r\n|[\r\n]")


class Terminal:
    """What stands on a terminal in the end: rows that a cursor moves over."""

    def __init__(self, shown: str) -> None:
        self.rows: list[str] = [""]
        self._row = self._column = 0
        at = 0
        for code in CODE.finditer(shown):
            self._write(shown[at : code.start()])
            self._obey(code)
            at = code.end()
        self._write(shown[at:])

    def _write(self, text: str) -> None:
        row = self.rows[self._row].ljust(self._column)
        self.rows[self._row] = (
            row[: self._column] + text + row[self._column + len(text) :]
        )
        self._column += len(text)

    def _obey(self, code: re.Match[str]) -> None:
        if code[2] == "A":
            self._row -= int(code[1] or 1)
        elif code[2] == "K":
            self.rows[self._row] = ""
        elif "\r" in code[0] or "\n" in code[0]:
            self._column = 0
            self._row += "\n" in code[0]
            self.rows += [""] * (self._row == len(self.rows))

    @property
    def lines(self) -> list[str]:
        return [row.rstrip() for row in self.rows if row.strip()]


def without_codes(shown: str) -> str:
    return re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", shown)


def live_lines(shown: str) -> Iterator[str]:
    """Every state of every live line that a terminal was shown."""
    for row in re.split(r"[\r\n]+", without_codes(shown)):
        if re.search(r"[⠀-⣿]", row):
            yield row.rstrip()


def test_on_a_terminal_each_host_has_a_line_that_begins_with_its_name() -> None:
    lines = list(live_lines(on_a_terminal(TWO_HOSTS)))

    for name in ("devbox", "ci    "):
        told = (
            rf"{name} . Fetching b7 \[1\] ━+─+  40 % 20/50 MB [\d.]+ \w+/s \d+ s left"
        )
        assert any(re.fullmatch(told, line) for line in lines), name


def test_only_bytes_have_a_rate() -> None:
    lines = list(live_lines(on_a_terminal(TWO_HOSTS)))

    tables = [line for line in lines if "2/3 tables" in line]
    assert tables
    assert not [line for line in tables if "/s" in line]


def test_the_lines_keep_the_order_of_the_hosts() -> None:
    script = f"""{THREADS}
with HOSTS_DISPLAY.shared(["devbox", "ci"]), Reporter("ci").step("fetch", "Fetching"):
    with Reporter("devbox").step("fetch", "Fetching"), Reporter().step("x", "Asking"):
        pass
"""
    shown = without_codes(on_a_terminal(script))

    under = r" +[⠀-⣿] [^\r\n]*\r\n"
    assert re.search(rf"Asking[^\r\n]*\r\ndevbox{under}ci", shown)
    assert not re.search(rf"ci{under}devbox", shown)


def test_on_a_terminal_only_what_was_said_stays() -> None:
    lines = Terminal(on_a_terminal(TWO_HOSTS)).lines

    stays = sorted(re.sub(r"\d+\.\d s", "0 s", line) for line in lines)
    assert stays == [
        "ci:   A note",
        "ci: A [bold]line[/x]",
        "ci: ✓ Fetched b7 (0 s)",
        "ci: ✓ Restoring (0 s)",
        "devbox:   A note",
        "devbox: A [bold]line[/x]",
        "devbox: ✓ Fetched b7 (0 s)",
        "devbox: ✓ Restoring (0 s)",
    ]


def test_a_crowd_of_threads_leaves_every_line_whole_on_a_terminal() -> None:
    lines = Terminal(on_a_terminal(CROWD)).lines

    assert sorted(re.sub(r" \(.*", "", line) for line in lines) == sorted(
        f"host{host}: {said} {number}"
        for host in range(8)
        for number in range(12)
        for said in ("says", "✓ did")
    )


def test_a_crowd_of_threads_leaves_every_line_whole_off_a_terminal() -> None:
    ended = off_a_terminal(CROWD)

    assert not CONTROL.search(ended.stderr)
    lines = ended.stderr.splitlines()
    told = [re.sub(r"^\d\d:\d\d:\d\d | (\(.*|…)", "", line) for line in lines]
    assert sorted(told) == sorted(
        f"host{host}: {said} {number}"
        for host in range(8)
        for number in range(12)
        for said in ("Doing", "says", "did")
    )


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_a_live_line_leaves_room_for_an_echoed_ctrl_c(columns: int) -> None:
    longer = re.sub("Fetch(ing|ed) b7", r"\g<0> of " + "a-long-name" * 9, TWO_HOSTS)

    lines = list(live_lines(on_a_terminal(longer, columns)))

    fetching = [line for line in lines if "20/50 MB" in line]
    assert fetching
    assert all("…" in line and "/s" in line for line in fetching)
    assert max(map(len, lines)) <= columns - 3


INTERRUPTED = (
    THREADS
    + """
import os, signal
begun, over = threading.Event(), threading.Event()

def pull(host):
    reporter = Reporter(host)
    with reporter.step("fetch", "Fetching b7") as step:
        begun.set()
        over.wait()
        step.progress(1, 2)
    with reporter.step("check", "Checking"):
        reporter.say("still at it")

thread = threading.Thread(target=pull, args=["devbox"])
try:
    with HOSTS_DISPLAY.shared(["devbox"]):
        thread.start()
        begun.wait()
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait()
except KeyboardInterrupt:
    print("Stopped.", file=sys.stderr)
finally:
    over.set()
    thread.join()
"""
)


def test_ctrl_c_ends_what_is_live_and_a_thread_that_goes_on_draws_no_more() -> None:
    shown = on_a_terminal(INTERRUPTED)

    drawn, _, after = shown.partition("\x1b[?25h")
    assert any("Fetching b7" in line for line in live_lines(drawn))
    assert "Stopped." in after
    assert not list(live_lines(after))
    told = [re.sub(r" \(.*", "", line) for line in Terminal(shown).lines]
    assert told == [
        "Stopped.",
        "devbox: ✓ Fetching b7",
        "devbox: still at it",
        "devbox: ✓ Checking",
    ]


AGAIN = (
    THREADS
    + """
try:
    with HOSTS_DISPLAY.shared(["devbox", "ci"]):
        with Reporter("devbox").step("fetch", "Fetching"):
            raise OSError
except OSError:
    pass
out("between")
for reporter in (Reporter(), Reporter("devbox")):
    with reporter.step("fetch", "Fetching b8", "bytes") as step:
        step.progress(1, 2)
    reporter.timings([], [])
"""
)


def test_after_the_hosts_everything_is_as_before() -> None:
    shown = on_a_terminal(AGAIN)

    before, _, after = shown.partition("between")
    assert "\x1b[?25h" in before, "the cursor is shown again"
    assert [line for line in live_lines(after) if " Fetching b8" in line]
    assert [
        line for line in live_lines(after) if re.match("devbox . Fetching b8", line)
    ]
    assert after.count("  total  ") == 2


def test_a_reporter_of_before_tells_on_the_shared_screen_too() -> None:
    script = f"""{THREADS}
early = Reporter()
with HOSTS_DISPLAY.shared(["devbox"]):
    with Reporter("devbox").step("fetch", "Fetching"), early.step("x", "Asking"):
        early.say("A line")
"""
    shown = on_a_terminal(script)

    rows = [line.split() for line in live_lines(shown)]
    assert any(row[-1:] == ["Asking"] or "Asking" in row for row in rows)
    assert shown.count("\x1b[?25l") == 1, "one live display"
    assert "A line" in Terminal(shown).lines


def test_what_scripts_read_stays_on_stdout_while_hosts_share_a_screen() -> None:
    script = f"""{THREADS}
import os
terminal = os.dup(2)
reader, writer = os.pipe()
os.dup2(writer, 1)
with HOSTS_DISPLAY.shared(["devbox"]):
    with Reporter("devbox").step("fetch", "Fetching"):
        out("postgres://localhost/x")
os.write(writer, b"nothing more\\n")
os.write(terminal, b"read: " + os.read(reader, 100))
"""
    shown = on_a_terminal(script)

    assert shown.count("postgres://localhost/x") == 1
    assert "read: postgres://localhost/x" in Terminal(shown).lines


def test_off_a_terminal_nothing_heavy_is_imported() -> None:
    script = TWO_HOSTS + "HOSTS_DISPLAY.table({})\nassert 'rich' not in sys.modules"

    assert "host" in off_a_terminal(script).stderr


TABLE = """
from dbpull.console import HOSTS_DISPLAY, Reporter
with HOSTS_DISPLAY.shared(["devbox", "ci"]):
    reporter = Reporter("devbox")
    reporter.backup, reporter.size = "b101", 158_000_000
    with reporter.step("fetch", "Fetching"):
        pass
    failed = "failed: [x] " + " ".join("word" * 30)
    HOSTS_DISPLAY.table({"devbox": "done", "ci": failed})
"""


@pytest.mark.parametrize("columns", [50, 80, 120])
def test_a_long_result_is_wrapped_and_never_cut(columns: int) -> None:
    lines = Terminal(on_a_terminal(TABLE, columns)).lines

    table = lines[[line.startswith("host") for line in lines].index(True) :]
    assert max(map(len, table)) <= columns
    told = "".join("".join(table).split())
    assert "failed:[x]" + "word" * 30 in told


def test_a_narrow_terminal_has_the_results_in_a_table_of_their_own() -> None:
    lines = Terminal(on_a_terminal(TABLE, columns=60)).lines

    headers = [line.split() for line in lines if line.startswith("host ")]
    assert headers == [
        ["host", "backup", "size", "fetch", "total"],
        ["host", "result"],
    ]
