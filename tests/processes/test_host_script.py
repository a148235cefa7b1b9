"""What runs on a host, run here as a process, by each shell that there is."""

from __future__ import annotations

import contextlib
import gzip
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from dbpull.hosts import agent
from dbpull.hosts.encoded import encoded
from lacking import need, needs, path_of
from silences import (
    NEVER,
    clocks_of,
    gone,
    hurried,
    listener_of,
    pass_silence,
    until,
    written,
)

MARK = "DBPULL_TEST_SCRIPT"
SHELLS = ["dash", "bash", "busybox", "lksh"]
BLOCK = 65536
Values = Sequence[tuple[Any, ...]]
GREETING = b"dbpull:\n"
KILLED = {-signal.SIGTERM, -signal.SIGKILL}
STUBBORN = "trap '' TERM; sh -c 'echo $$; sleep 600; sleep 600' & echo $$; wait; wait"


class Begun(subprocess.Popen[bytes]):
    """A process that a test does not wait for when it fails."""

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error and self.poll() is None:
            leads = os.getpgid(self.pid) == self.pid
            os.killpg(self.pid, signal.SIGKILL) if leads else self.kill()
        super().__exit__(kind, error, trace)


@dataclass
class Run:
    """A run's folder on the host, and what is done in it."""

    folder: Path
    env: dict[str, str]

    def argv(self, verb: str, *words: object) -> list[str]:
        script = str(self.folder / "host.sh")
        return ["sh", script, verb, str(self.folder), *map(str, words)]

    def verb(
        self, verb: str, *words: object, stdin: bytes = b"", **more: Any
    ) -> subprocess.CompletedProcess[bytes]:
        options: dict[str, Any] = {"env": self.env, "start_new_session": True, **more}
        argv = self.argv(verb, *words)
        if verb == "start":
            argv, stdin = self.argv("next"), _line(words) + stdin
        return subprocess.run(
            argv, input=stdin, capture_output=True, timeout=60, check=False, **options
        )

    def begin(self, verb: str, *words: object, **more: Any) -> Begun:
        pipe = subprocess.PIPE
        options: dict[str, Any] = {"env": self.env, "start_new_session": True, **more}
        argv = self.argv(verb, *words)
        if verb == "start":
            argv = self.argv("next")
        begun = Begun(argv, stdin=pipe, stdout=pipe, stderr=pipe, **options)
        if verb == "start":
            assert begun.stdin
            begun.stdin.write(_line(words))
            begun.stdin.flush()
        return begun

    def program(self, number: int, *argv: str, **more: Any) -> Begun:
        """One that is at work: its greeting has been read."""
        begun = self.begin("start", number, "--", *argv, **more)
        assert begun.stdout
        assert begun.stdout.readline() == GREETING
        return begun


def _line(words: Sequence[object]) -> bytes:
    """The line that has `next` start a program."""
    return f"{encoded(shlex.join(['start', *map(str, words)]))}\n".encode()


@dataclass
class Serving:
    """An agent at work."""

    process: subprocess.Popen[bytes]
    run: Run
    facts: dict[str, str] = field(default_factory=dict)

    def hears(self, line: bytes) -> bytes:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(line)
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def end(self) -> int:
        """End its stdin, as the laptop does; its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(30)

    def kill(self) -> None:
        """As a reboot does: it and all that it started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Host:
    home: Path
    env: dict[str, str]
    script: bytes = field(default_factory=hurried)

    def run(self) -> Run:
        """A folder as the agent makes it, without an agent."""
        folder = self.home / f".dbpull/run.{uuid4().hex}"
        (folder / "programs").mkdir(parents=True)
        (folder / "host.sh").write_bytes(self.script)
        return Run(folder, self.env)

    @contextmanager
    def served(self, *wanted: str) -> Iterator[Serving]:
        """A run whose agent lives."""
        script, name = self.script, uuid4().hex
        pipe = subprocess.PIPE
        with subprocess.Popen(
            agent.boot(name, len(script), *wanted),
            stdin=pipe, stdout=pipe, stderr=pipe, env=self.env, start_new_session=True,
        ) as process:  # fmt: skip
            assert process.stdin
            assert process.stdout
            process.stdin.write(script)
            process.stdin.flush()
            assert process.stdout.readline() == GREETING
            run = Run(self.home / f".dbpull/run.{name}", self.env)
            serving = Serving(process, run)
            while (line := process.stdout.readline()) != b"ready\n":
                assert line  # else it has ended
                word, _, value = line.decode().rstrip("\n").partition(" ")
                serving.facts[word] = value
            yield serving
            if process.poll() is None:
                serving.end()

    def pids(self) -> list[int]:
        """Those of the processes that it has."""
        mark = f"{MARK}={self.env[MARK]}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found

    def processes(self) -> list[bytes]:
        with contextlib.suppress(OSError):
            return [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in self.pids()]
        return []

    def settled(self) -> None:
        until(lambda: not self.pids(), self.processes)

    def count_pauses(self) -> Callable[[], int]:
        """How often the script pauses from here on."""
        sleep, counted = Path(self.env["PATH"].split(":")[0], "sleep"), self.home / "p"
        counted.touch()
        sleep.unlink(missing_ok=True)
        sleep.write_text(f"#!/bin/sh\necho >>'{counted}'; exec /bin/sleep \"$@\"\n")
        sleep.chmod(0o755)
        return lambda: counted.stat().st_size


def by_two_shells(names: str, values: Values) -> pytest.MarkDecorator:
    """Each value with two shells, which take turns: what has none is run by each."""
    shells = [*SHELLS, *SHELLS]
    rows = [
        (*value, shell)
        for number, value in enumerate(values)
        for shell in shells[number % len(SHELLS) :][:2]
    ]
    return pytest.mark.parametrize((*names.split(), "host"), rows, indirect=["host"])


@pytest.fixture(params=SHELLS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    """One whose sh is this shell; busybox brings all of its programs with it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    need(request.param)
    shell = shutil.which(request.param)
    assert shell
    names = ["sh"]
    if request.param == "busybox":
        names = subprocess.check_output([shell, "--list"], text=True).split()
    for name in names:
        (programs / name).symlink_to(shell)
    path = f"{programs}:{os.environ['PATH']}"
    home = tmp_path / "home"
    home.mkdir()
    made = Host(home, {"PATH": path, "HOME": str(home), MARK: uuid4().hex})
    yield made
    try:
        made.settled()
    finally:
        for pid in made.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def patient(host: Host) -> None:
    """Have its script wait as long as ever: for who needs a moment to end."""
    host.script = agent.script()


@pytest.fixture
def run(host: Host) -> Run:
    return host.run()


def only(tmp_path: Path, host: Host, *names: str) -> dict[str, str]:
    """An environment whose PATH has these programs alone."""
    few = tmp_path / "few"
    few.mkdir()
    for name in names:
        program = shutil.which(name, path=host.env["PATH"])
        assert program
        (few / name).symlink_to(Path(program).resolve())
    return {**host.env, "PATH": str(few)}


def test_shellcheck_has_no_objection() -> None:
    need("shellcheck")
    argv = ["shellcheck", "-s", "sh", "-"]
    folder = Path(agent.__file__).parent
    for text in (*(f.read_bytes() for f in folder.glob("*.sh")), agent.script()):
        ended = subprocess.run(argv, input=text, capture_output=True, check=False)
        assert ended.returncode == 0, ended.stdout.decode()


# Dumps


def test_dumps_and_their_parts_are_listed_with_their_bytes(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "dümps of 'mine' *"
    folder.mkdir()
    for name, count in (("a b.dump", 3), ("c.dump.part", 70000), ("n\nl.dump", 1)):
        (folder / name).write_bytes(b"x" * count)
    (folder / "c.dump.part.journal").write_text("1")
    (folder / "other").write_text("1")
    (folder / "link.dump").symlink_to(folder / "c.dump.part")
    (folder / "folder.dump").mkdir()

    listed = run.verb("list", folder)

    assert listed.returncode == 0
    assert sorted(listed.stdout.decode().splitlines()) == [
        "1\tc.dump.part.journal",
        "3\ta b.dump",
        "70000\tc.dump.part",
        "70000\tlink.dump",
    ]
    nothing = run.verb("list", tmp_path / "none")
    assert (nothing.returncode, nothing.stdout) == (0, b"")


def test_free_bytes_are_told_of_a_folder_or_of_where_it_would_be(
    run: Run, tmp_path: Path
) -> None:
    for folder in (tmp_path, tmp_path / "not/yet made", Path("/")):
        there = folder if folder.exists() else tmp_path
        told = int(run.verb("free", folder).stdout)
        assert told == pytest.approx(shutil.disk_usage(there).free, rel=0.1)
    (tmp_path / "file").touch()
    assert run.verb("free", tmp_path, "file").stdout
    assert run.verb("free", tmp_path, "none").stdout == b""


def test_a_part_is_held_by_one_run_at_a_time(host: Host, tmp_path: Path) -> None:
    part = tmp_path / "new folder/the dump's.dump.part"
    with host.served() as one, host.served() as other:
        assert one.run.verb("hold", part).returncode == 0
        assert one.run.verb("hold", part).returncode == 0
        part.write_text("some")

        refused = other.run.verb("hold", part)
        assert (refused.returncode, refused.stderr) == (1, b"")
        assert other.run.verb("drop", part).returncode == 1
        assert part.read_text() == "some"
        assert not list(one.run.folder.glob("run.*"))

        one.kill()
        assert other.run.verb("hold", part).returncode == 0
        assert Path(f"{part}.lock").readlink() == other.run.folder
        assert (part.parent / ".gitignore").read_text() == "*\n"
        assert part.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("journal", "asked", "left"),
    [
        ("5 one", ("5", "one", 9), "some|5 one\n"),
        ("5 one", ("5", "two", 9), "|5 two\n"),
        ("5 one", ("3", "one", 9), "|3 one\n"),
        ("3 one", ("3", "one", 9), "|3 one\n"),  # it is longer than that
        ("5 ", ("5", "", 9), "|5 \n"),  # nothing tells whose it is
        ("5 one", ("5", "two", 1 << 60), "some|5 one\n"),  # no room: it stays
    ],
)
def test_a_part_is_begun_anew_unless_it_is_of_the_same_object(
    run: Run, tmp_path: Path, journal: str, asked: tuple[object, ...], left: str
) -> None:
    part = tmp_path / "folder/x.dump.part"
    part.parent.mkdir()
    part.write_text("some")
    Path(f"{part}.journal").write_text(f"{journal}\n")

    free, *told = run.verb("begin", part, *asked).stdout.decode().splitlines()

    assert int(free) > 0
    assert f"{part.read_text()}|{Path(f'{part}.journal').read_text()}" == left
    assert told == [str(part.stat().st_size), left.partition("|")[2].strip("\n")]


def test_a_dump_is_removed_and_what_is_left_is_told(run: Run, tmp_path: Path) -> None:
    for name in ("one.dump", "two.dump"):
        (tmp_path / name).write_text(name)

    told = run.verb("remove", tmp_path / "one.dump").stdout.decode()

    assert told == "8\n8\ttwo.dump\n"
    assert [file.name for file in tmp_path.glob("*.dump")] == ["two.dump"]


def test_what_a_run_held_is_free_when_it_has_ended(host: Host, tmp_path: Path) -> None:
    part = tmp_path / "x.dump.part"
    with host.served() as one:
        assert one.run.verb("hold", part).returncode == 0
    assert part.with_name("x.dump.part.lock").is_symlink()

    with host.served() as other:
        part.write_text("some")
        Path(f"{part}.journal").write_text("1 x")
        assert other.run.verb("drop", part).returncode == 0
    assert not list(tmp_path.glob("x.*"))


def test_a_part_is_begun_as_soon_as_a_run_at_its_end_lets_go(
    host: Host, tmp_path: Path
) -> None:
    part = tmp_path / "x.dump.part"
    with host.served() as one, host.served() as other:
        assert one.run.verb("begin", part, 5, "one", 9).returncode == 0
        assert other.run.verb("begin", part, 5, "one", 9).returncode == 9
        assert one.process.stdin
        with one.run.program(1, "sh", "-c", STUBBORN) as program:
            one.process.stdin.close()
            until(lambda: not (one.run.folder / "ballast").exists())
            begun = other.run.verb("begin", part, 5, "one", 9)
            program.kill()

        assert begun.returncode == 0
        assert Path(f"{part}.lock").readlink() == other.run.folder


def test_another_process_by_the_agents_number_holds_nothing(
    host: Host, tmp_path: Path
) -> None:
    part, left = tmp_path / "x.dump.part", host.run()
    assert left.verb("hold", part).returncode == 0
    (left.folder / "keeper").write_text(f"{os.getpid()}\n")

    assert host.run().verb("hold", part).returncode == 0


def test_a_folder_that_can_not_be_made_is_not_in_use(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    refused = run.verb("hold", tmp_path / "file/folder/x.dump.part")

    assert refused.returncode == 2
    assert b"Not a directory" in refused.stderr or b"File exists" in refused.stderr


def test_a_part_tells_how_far_it_is_and_begins_anew(run: Run, tmp_path: Path) -> None:
    part = tmp_path / "a 'b'.dump.part"
    assert run.verb("at", part).stdout == b"0\n"

    assert run.verb("anew", part, 123, '"etag"-1').returncode == 0
    part.write_bytes(b"x" * BLOCK)
    assert run.verb("at", part).stdout == b'65536\n123 "etag"-1\n'

    assert run.verb("anew", part, 5, "-").returncode == 0
    assert run.verb("at", part).stdout == b"0\n5 -\n"
    assert part.stat().st_mode & 0o777 == 0o600


def test_blocks_of_a_file_are_packed_where_that_can_be(
    run: Run, host: Host, tmp_path: Path
) -> None:
    file, content = tmp_path / "a b", os.urandom(3 * BLOCK + 7)
    file.write_bytes(content)
    few = only(tmp_path, host, "sh", "dd", "printf")

    packed = run.verb("remote_head", file, 1, 2).stdout
    plain = run.verb("remote_head", file, 3, 4, env=few).stdout

    assert packed[:1] + gzip.decompress(packed[1:]) == b"z" + content[BLOCK : 3 * BLOCK]
    assert plain == b"-" + content[3 * BLOCK :]
    none = run.verb("remote_head", tmp_path / "none", 0, 1)
    assert (none.returncode, none.stdout) == (1, b"")
    assert b"none can't be read" in none.stderr


@by_two_shells(
    "total",
    [(n,) for n in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 3 * BLOCK + 17)],
)
def test_a_program_is_fed_with_a_part_that_is_there(
    run: Run, tmp_path: Path, total: int
) -> None:
    part, content = tmp_path / "the part", os.urandom(total)
    part.write_bytes(content)

    argv = ["cat", str(run.folder / "list"), "-"]
    fed = run.verb("stream", part, total, *argv, stdin=b"its list\n")

    assert fed.returncode == 0
    assert fed.stdout == b"its list\n" + content


def test_a_program_is_fed_with_a_part_that_grows(run: Run, tmp_path: Path) -> None:
    content = os.urandom(6 * BLOCK + 1234)
    part = tmp_path / "the part"
    part.write_bytes(b"")
    steps = (10, BLOCK - 10, 1, BLOCK + 5, 2 * BLOCK, len(content))
    feeding = run.begin("stream", part, len(content), "cat")
    assert feeding.stdin
    assert feeding.stderr
    feeding.stdin.close()
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(_all_of(feeding.stdout)))
    reader.start()

    with part.open("ab") as file:
        at = 0
        for step in steps:
            file.write(content[at : at + step])
            file.flush()
            at = min(at + step, len(content))
            whole = at == len(content)
            expected = at // BLOCK * BLOCK if not whole else 7 * BLOCK
            while feeding.stderr.readline() != f"fed {expected}\n".encode():
                pass

    reader.join(20)
    assert feeding.wait(20) == 0
    assert heard == [content]
    feeding.stderr.close()


def _all_of(pipe: Any) -> bytes:
    with pipe:
        content: bytes = pipe.read()
        return content


def test_a_part_that_gets_its_name_meanwhile_is_fed_to_its_end(
    run: Run, tmp_path: Path
) -> None:
    part, content = tmp_path / "x.dump.part", os.urandom(2 * BLOCK + 1)
    part.write_bytes(content[:BLOCK])
    with run.begin("stream", part, len(content), "cat") as feeding:
        assert feeding.stdin
        assert feeding.stderr
        feeding.stdin.close()
        assert feeding.stderr.readline() == b"fed 65536\n"

        os.killpg(feeding.pid, signal.SIGSTOP)
        with part.open("ab") as file:
            file.write(content[BLOCK:])
        part.rename(tmp_path / "x.dump")

        heard: list[bytes] = []
        threading.Thread(target=lambda: heard.append(_all_of(feeding.stdout))).start()

        def went_on() -> list[bytes]:
            # Again and again: what is just being forked may miss one.
            os.killpg(feeding.pid, signal.SIGCONT)
            return heard

        until(went_on)
        assert heard == [content]


def test_the_code_of_what_is_fed_counts(run: Run, tmp_path: Path) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"x" * 40 * BLOCK)

    failed = run.verb("stream", part, 40 * BLOCK, "sh", "-c", "exit 3")
    content = run.verb("stream", part, 40 * BLOCK, "head", "-c", "3")

    assert failed.returncode == 3
    assert (content.returncode, content.stdout) == (0, b"xxx")


def test_programs_are_found_on_path_and_in_folders(
    run: Run, host: Host, tmp_path: Path
) -> None:
    for name in ("pg/9/bin", "pg/10/bin", "other 1", "on path"):
        (tmp_path / name).mkdir(parents=True)
        program = tmp_path / name / "psqlx"
        program.write_text("#!/bin/sh\necho psqlx $1 17 && echo more\n")
        program.chmod(0o755)
    (tmp_path / "pg/8/bin/psqlx").mkdir(parents=True)
    (tmp_path / "pg/7/bin").mkdir(parents=True)
    (tmp_path / "pg/7/bin/psqlx").touch(mode=0o644)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/psqlx").symlink_to(tmp_path / "pg/9/bin/psqlx")
    patterns = [f"{tmp_path}/pg/*/bin", f"{tmp_path}/linke*"]
    path = {**host.env, "PATH": f"{host.env['PATH']}:{tmp_path / 'on path'}"}

    asked = "psqlx", *patterns
    without = run.verb("find", *asked).stdout.decode().split("\n")
    found = run.verb("find", *asked, env=path).stdout.decode().split("\n")

    there = [f"{tmp_path}/pg/{n}/bin/psqlx" for n in ("9", "10")]
    told = "psqlx --version 17"
    assert without == [
        f"psqlx\t{there[0]}\t{there[0]}\t{told}",
        f"psqlx\t{there[1]}\t{there[1]}\t{told}",
        f"psqlx\t{tmp_path}/linked/psqlx\t{there[0]}\t{told}",
        "",
    ]
    on_path = f"{tmp_path}/on path/psqlx"
    assert found == [f"psqlx\t{on_path}\t{on_path}\t{told}", *without]


def test_several_programs_are_found_at_once_and_those_that_fail_have_no_version(
    run: Run, host: Host, tmp_path: Path
) -> None:
    for name, does in (
        ("one/psqlx", "exit 1"),
        ("postgresql/16/bin/psqly", "echo asked"),
        ("none/pg_wrapper", "echo asked"),
    ):
        program = tmp_path / name
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    folders = [str(folder) for folder in tmp_path.glob("*/")]
    folders.append(f"{tmp_path}/postgresql/*/bin")

    found = run.verb("find", "psqlx none psqly pg_wrapper", *folders).stdout.decode()

    assert [line.split("\t")[0::3] for line in found.splitlines()] == [
        ["psqlx", ""],
        ["psqly", ""],
        ["pg_wrapper", ""],
    ]


def test_the_agent_tells_at_once_which_programs_are_there(
    host: Host, tmp_path: Path
) -> None:
    program = tmp_path / r"a\tb%" / "psqlx"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho psqlx 17\n")
    program.chmod(0o755)

    with host.served("none psqlx", f"{tmp_path}/*") as serving:
        assert serving.facts["program"] == f"psqlx\t{program}\t{program}\tpsqlx 17"
        assert serving.facts["login"]


def test_a_program_is_found_where_readlink_knows_no_real_path(
    run: Run, host: Host, tmp_path: Path
) -> None:
    few = only(tmp_path, host, "sh", "printf")

    [line, _] = run.verb("find", "sh", env=few).stdout.decode().split("\n")

    assert line.startswith(f"sh\t{tmp_path}/few/sh\t{tmp_path}/few/sh\t")


# Programs


@by_two_shells(
    "argv code",
    [
        (["true"], 0),
        (["sh", "-c", "exit 3"], 3),
        (["no-such-program"], 127),
        (["sh", "-c", "kill -9 $$"], 128 + 9),
        (["sh", "-c", "kill -TERM $$"], 128 + 15),
        (["test", "-e", "/none"], 1),
    ],
)
def test_the_code_of_a_program_is_that_of_start(
    run: Run, argv: list[str], code: int
) -> None:
    ended = run.verb("start", 1, "--", *argv)

    assert ended.returncode == code
    assert ended.stdout == GREETING
    assert ended.stderr.startswith(GREETING)


WORDS = ["", " a  b ", "'", '"', "$HOME `id` $(id)", "*", "\\n\\", "a\nb\n", "ü", "-n"]


def test_words_variables_and_stdin_reach_a_program_as_they_are(run: Run) -> None:
    script = 'printf "%s|" "$ONE" "$TWO"; for w; do printf "<%s>" "$w"; done; cat'
    pairs = ["ONE=" + "".join(WORDS), "TWO="]
    stdin = bytes(range(256)) * 1000

    argv = ["sh", "-c", script, "sh", *WORDS, "--", "A=b"]
    ended = run.verb("start", 1, *pairs, "--", *argv, stdin=stdin)

    words = "".join(f"<{word}>" for word in [*WORDS, "--", "A=b"])
    said = f"{''.join(WORDS)}||{words}".encode()
    assert ended.stdout == GREETING + said + stdin
    assert ended.stderr == GREETING


def test_the_users_own_variables_for_postgresql_are_not_there(
    run: Run, host: Host
) -> None:
    own = dict.fromkeys(("PGHOST", "PGSERVICE", "PGOPTIONS", "PGPASSWORD"), "own")
    env = {**host.env, **own, "PGSSLMODE": "require"}
    program = ["sh", "-c", "env | grep ^PG | sort"]

    with_file = run.verb(
        "start", 1, "PGPASSFILE=/f", "PGUSER=me", "--", *program, env=env
    )
    without = run.verb("start", 2, "PGHOST=there", "--", *program, env=env)

    assert with_file.stdout.split() == [
        b"dbpull:", b"PGPASSFILE=/f", b"PGSSLMODE=require", b"PGUSER=me",
    ]  # fmt: skip
    assert without.stdout.split() == [
        b"dbpull:", b"PGHOST=there", b"PGPASSWORD=own", b"PGSSLMODE=require",
    ]  # fmt: skip


def test_a_program_may_have_the_name_of_a_verb(
    run: Run, host: Host, tmp_path: Path
) -> None:
    for name in ("list", "end"):
        (tmp_path / "bin" / name).unlink(missing_ok=True)
        (tmp_path / "bin" / name).write_text("#!/bin/sh\necho mine\n")
        (tmp_path / "bin" / name).chmod(0o755)

        assert run.verb("start", name, "--", name).stdout == GREETING + b"mine\n"


def test_files_that_programs_make_are_for_their_owner(run: Run, tmp_path: Path) -> None:
    run.verb("start", 1, "--", "mkdir", tmp_path / "made")

    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700


def test_what_ignores_being_asked_to_end_is_killed_with_its_children(
    host: Host, run: Run
) -> None:
    with run.program(1, "sh", "-c", STUBBORN) as stubborn:
        assert stubborn.stdout
        pids = [int(stubborn.stdout.readline()) for _ in range(2)]

        assert run.verb("end", 1).returncode in (0, 1)

        until(lambda: all(gone(pid) for pid in pids))
        assert stubborn.wait(20) in KILLED
    host.settled()


def test_a_child_is_ended_although_its_parent_has_ended(host: Host, run: Run) -> None:
    with run.program(1, "sh", "-c", "sleep 600 & echo $!") as parent:
        assert parent.stdin
        assert parent.stdout
        child = int(parent.stdout.readline())
        parent.stdin.close()
        assert parent.wait(20) == 0

        run.verb("end", 1)

        until(lambda: gone(child))


def test_a_session_stays_until_all_is_heard_that_is_sent_to_it(run: Run) -> None:
    with run.program(1, "sh", "-c", "echo done; exit 7") as program:
        assert program.stdin
        assert program.stdout
        assert program.stdout.read() == b"done\n"  # its end is told at once

        program.stdin.write(b"\0\n" * BLOCK)
        program.stdin.flush()
        assert program.poll() is None
        program.stdin.close()

        assert program.wait(20) == 7


@pytest.mark.usefixtures("patient")
def test_a_program_ends_as_it_likes_when_asked_to(run: Run, tmp_path: Path) -> None:
    script = f"trap 'echo bye >{tmp_path}/said; exit' TERM; echo; sleep 600 & wait"
    with run.program(1, "sh", "-c", script) as polite:
        assert polite.stdout
        polite.stdout.readline()

        run.verb("end", 1)

    assert (tmp_path / "said").read_text() == "bye\n"


def test_a_program_that_was_ended_before_it_began_never_does(
    run: Run, tmp_path: Path
) -> None:
    run.verb("end", 1)

    ended = run.verb("start", 1, "--", "touch", tmp_path / "file")

    assert ended.returncode != 0
    assert ended.stdout == b""
    assert not (tmp_path / "file").exists()
    run.verb("end", 1)


def test_a_line_that_can_not_be_read_is_no_success(run: Run, tmp_path: Path) -> None:
    for name, code in (("true", 0), ("false", 1)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "sed").write_text(f"#!/bin/sh\nexit {code}\n")
        (folder / "sed").chmod(0o755)
        path = f"{folder}:{run.env['PATH']}"
        ended = run.verb("start", 1, "--", "true", env={**run.env, "PATH": path})
        assert ended.returncode == 126
    assert run.verb("next", stdin=b"start 1 -- touch").returncode == 1  # cut off
    assert list((run.folder / "programs").iterdir()) == []


def test_another_group_by_a_programs_number_is_left_alone(run: Run) -> None:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as foreign:
        (run.folder / "programs/1").write_text(f"{foreign.pid}\n")

        run.verb("end", 1)

        assert foreign.poll() is None
        foreign.kill()


def test_a_program_leads_a_group_where_the_server_makes_none(
    host: Host, run: Run
) -> None:
    with run.program(
        1, "sh", "-c", "echo $$; sleep 600", start_new_session=False
    ) as it:
        assert it.stdout
        pid = int(it.stdout.readline())
        assert os.getpgid(pid) != os.getpgid(0)

        run.verb("end", 1, start_new_session=False)

        until(lambda: gone(pid))


def unreaped(run: Run, number: int, *argv: str) -> subprocess.Popen[bytes]:
    """The father of a program that has ended, and whose code he never asks for."""
    script = (
        "import subprocess, sys, time; p = subprocess.Popen(sys.argv[2:], stdin=-1,"
        " start_new_session=True); p.stdin.write(sys.argv[1].encode());"
        " p.stdin.close(); print(p.pid, flush=True); time.sleep(600)"
    )
    line = _line([number, "--", *argv]).decode()
    words = [sys.executable, "-c", script, line, *run.argv("next")]
    father = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=run.env
    )
    assert father.stdout
    lines = {father.stdout.readline() for _ in range(2)}
    [pid] = lines - {GREETING}
    until(lambda: state(int(pid)) == "Z")
    return father


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def without_proc(run: Run) -> None:
    """Have the script find no /proc, as on a Mac."""
    script = run.folder / "host.sh"
    script.write_text(script.read_text().replace("/proc/", "/nowhere/"))


@pytest.mark.parametrize("proc", [True, False], ids=["proc", "ps"])
def test_a_zombie_is_not_waited_for(host: Host, run: Run, *, proc: bool) -> None:
    if not proc and "busybox" in str(
        (Path(host.env["PATH"].split(":")[0]) / "sh").resolve()
    ):
        return  # its ps reads /proc, too
    if not proc:
        need("ps")
        without_proc(run)
    with unreaped(run, 1, "true") as father:
        pauses = host.count_pauses()
        run.verb("end", 1)
        father.kill()

    assert pauses() == 0


def test_a_zombies_children_are_ended(host: Host, run: Run) -> None:
    with unreaped(run, 1, "sh", "-c", "sleep 600 >/dev/null &") as father:
        run.verb("end", 1)
        until(lambda: len(host.pids()) == 1, host.processes)  # the father
        father.kill()
    host.settled()


# The agent


def test_the_agent_tells_what_the_host_is_and_answers(host: Host) -> None:
    with host.served() as serving:
        assert serving.facts["run"] == str(serving.run.folder)
        assert int(serving.facts["cores"]) == os.sysconf("SC_NPROCESSORS_ONLN")
        assert serving.facts["home"] == str(host.home)
        assert serving.facts["login"]
        told = serving.facts.get("curl", "")
        assert told.startswith("curl ") == bool(path_of("curl"))
        assert serving.run.folder.stat().st_mode & 0o777 == 0o700
        assert serving.hears(b"beat\n") == b"beat\n"
        assert serving.hears(b"again\n") == b"again\n"


def test_a_file_that_the_laptop_sends_is_the_owners_alone(host: Host) -> None:
    with host.served() as serving:
        assert serving.hears(b"file pgpass.0   a%pb!c\\d%n  e \n") == b"file\n"

        file = serving.run.folder / "pgpass.0"
        assert file.read_text() == "  a%b!c\\d\n  e \n"
        assert file.stat().st_mode & 0o777 == 0o600


def _on_disconnect(run: Run, tmp_path: Path) -> Path:
    script = f"{{\nexec touch '{tmp_path}/done'\n}}\n"
    (run.folder / "on_disconnect.7").write_text(script)
    return tmp_path / "done"


def test_at_the_laptops_end_nothing_is_left(host: Host, tmp_path: Path) -> None:
    with host.served() as serving:
        done = _on_disconnect(serving.run, tmp_path)
        with (
            serving.run.program(1, "sleep", "600") as one,
            serving.run.program(2, "sh", "-c", STUBBORN) as two,
            serving.run.program(3, "sh", "-c", "sleep 600 &"),
        ):
            assert serving.end() == 0

            host.settled()
            assert {one.wait(20), two.wait(20)} <= KILLED
    assert done.exists()
    assert not serving.run.folder.exists()
    assert list((host.home / ".dbpull").iterdir()) == []


def test_what_was_to_be_done_at_the_end_is_forgotten_when_the_laptop_says_so(
    host: Host, tmp_path: Path
) -> None:
    with host.served() as serving:
        done = _on_disconnect(serving.run, tmp_path)
        other = serving.run.folder / "on_disconnect.8"
        other.write_text(f"touch '{tmp_path}/other'")

        assert serving.hears(b"on_disconnect.7\n") == b"on_disconnect.7\n"
        assert serving.end() == 0

        host.settled()
    assert not done.exists()
    assert (tmp_path / "other").exists()


def test_a_program_in_its_last_statement_may_finish_it(
    host: Host, tmp_path: Path
) -> None:
    # Its grace has no end: under load, that of a second may be too short.
    grace = b"for _ in 1 2 3 4 5 6 7 8 9 10; do"
    assert agent.script().count(grace) == 1
    host.script = agent.script().replace(grace, b"while :; do")
    script = f"cat; sleep 0.3; echo said >{tmp_path}/last"
    with (
        host.served() as serving,
        serving.run.program(1, "sh", "-c", script) as program,
    ):
        assert program.stdin
        program.stdin.close()
        # As sshd does: who has ended is not waited for.
        threading.Thread(target=program.wait).start()
        serving.end()

        assert program.wait(20) == 0
    assert (tmp_path / "last").read_text() == "said\n"


def test_who_has_ended_is_not_waited_for_at_the_laptops_end(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "SILENCE", NEVER)
    with host.served() as serving:
        # What it sleeps by would be counted, too.
        until(lambda: clocks_of(listener_of(serving.process.pid)))
        assert serving.run.verb("start", 1, "--", "true").returncode == 0
        pauses = host.count_pauses()

        serving.end()

    assert pauses() == 0


@by_two_shells("number", [(signal.SIGTERM,), (signal.SIGHUP,), (signal.SIGINT,)])
def test_an_agent_that_is_asked_to_end_cleans_up_or_stays(
    host: Host, tmp_path: Path, number: signal.Signals
) -> None:
    with host.served() as serving:
        done, stdin = _on_disconnect(serving.run, tmp_path), serving.process.stdin
        assert stdin
        serving.process.send_signal(number)
        if number == signal.SIGTERM:
            # A shell that was about to read hears of it at the next line only.
            with contextlib.suppress(BrokenPipeError):
                os.write(stdin.fileno(), b"beat\n")
            assert serving.process.wait(20) == 0
        else:
            assert serving.hears(b"still\n") == b"still\n"
            serving.end()
        host.settled()
    assert done.exists()
    assert not serving.run.folder.exists()


def test_what_listens_for_silence_ends_after_a_killed_agent(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "SILENCE", NEVER)
    with host.served() as killed:
        listener = listener_of(killed.process.pid)
        killed.process.kill()
        killed.process.wait()
        assert host.pids()
        pass_silence(listener)
        host.settled()


def test_a_clock_that_misses_its_sigterm_ends_with_its_listener(host: Host) -> None:
    sleep = Path(host.env["PATH"].split(":")[0], "sleep")
    sleep.unlink(missing_ok=True)
    script = 'trap \'\' TERM; echo >>"$HOME/deaf"; exec /bin/sleep "$@"'
    sleep.write_text(f"#!/bin/sh\n{script}\n")
    sleep.chmod(0o755)
    with host.served() as serving:
        written(host.home / "deaf")

        serving.end()

    host.settled()


def test_what_a_killed_agent_left_is_swept_by_the_next(host: Host) -> None:
    with host.served() as killed:
        killed.kill()
    host.settled()
    runs = host.home / ".dbpull"
    beginning, half_removed, another = (
        runs / f"run.{uuid4().hex}" for _ in ("none yet", "no more", "a stranger's")
    )
    for folder in (beginning, half_removed, another):
        folder.mkdir()
    (half_removed / "host.sh").touch()
    os.utime(half_removed, (0, 0))
    (another / "keeper").write_text(f"{os.getpid()}\n")

    with host.served() as one, host.served() as other:
        assert not killed.run.folder.exists()
        assert not another.exists()
        assert not half_removed.exists()
        assert beginning.exists()
        assert one.run.folder.exists()
        assert other.run.folder.exists()


def test_a_silent_laptop_is_given_up_and_one_that_is_heard_is_not(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "SILENCE", NEVER)
    with host.served() as serving:
        done, beat = _on_disconnect(serving.run, tmp_path), serving.run.folder / "beat"
        for _ in range(4):
            assert serving.hears(b"beat\n") == b"beat\n"
            pass_silence(listener_of(serving.process.pid))
            assert not beat.exists()
            assert not done.exists()

        pass_silence(listener_of(serving.process.pid))
        assert serving.process.wait(20) == 0

        host.settled()
        assert done.exists()
        assert not serving.run.folder.exists()


def test_a_home_that_takes_no_folder_is_told(host: Host) -> None:
    env = {**host.env, "HOME": "/proc"}

    ended = subprocess.run(
        agent.boot("1", 1), input=b"x", env=env, capture_output=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stdout == b""
    assert b"/proc/.dbpull" in ended.stderr


def test_a_shell_that_counts_with_32_bits_is_refused_in_words(tmp_path: Path) -> None:
    need("mksh")
    shell = shutil.which("mksh")
    assert shell
    (tmp_path / "sh").symlink_to(shell)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    script = agent.script()

    ended = subprocess.run(
        agent.boot("1", len(script)),
        input=script, env=env, capture_output=True, check=False,
    )  # fmt: skip

    assert ended.returncode == 1
    assert ended.stdout == b""
    assert ended.stderr == b"its sh counts with 32 bits, too few for a dump's bytes\n"
    assert list((tmp_path / ".dbpull").iterdir()) == []


# curl: a machine may lack it, as a host may


@dataclass
class Files:
    """A download host: serves `content` from any byte on, and misbehaves as told."""

    content: bytes
    status: int = 0
    cut_after: int | None = None
    ranges: bool = True
    asked: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0

    @contextmanager
    def served(self) -> Iterator[str]:
        files = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                files.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            yield f"http://127.0.0.1:{server.server_port}/b?Signature=SECRET"
            server.shutdown()
            thread.join()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        self.asked.append(dict(to.headers))
        if self.status:
            to.send_error(self.status)
            return
        asked = to.headers.get("Range", "") if self.ranges else ""
        first, _, last = asked.removeprefix("bytes=").partition("-")
        begin, end = int(first or 0), int(last or len(self.content) - 1)
        body = self.content[begin : end + 1]
        to.send_response(206 if asked else 200)
        if asked:
            told = f"bytes {begin}-{end}/{len(self.content)}"
            to.send_header("Content-Range", told)
        to.send_header("ETag", '"one"')
        to.send_header("Content-Length", str(len(body)))
        to.end_headers()
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(body[: self.cut_after]), BLOCK):
                piece = body[: self.cut_after][at : at + BLOCK]
                to.wfile.write(piece)
                self.sent += len(piece)


def config(url: str, *more: str) -> bytes:
    return "\n".join([f'url = "{url}"', *more, ""]).encode()


@needs("curl")
def test_a_part_is_downloaded_and_after_a_cut_gone_on_with(
    run: Run, tmp_path: Path
) -> None:
    files = Files(os.urandom(1_000_003), cut_after=300_001)
    part = tmp_path / "a 'part'"
    with files.served() as url:
        cut = run.verb("get", part, 0, stdin=config(url))
        assert cut.returncode == 18
        assert cut.stderr.splitlines()[-1] == b"at 300001"
        assert part.read_bytes() == files.content[:300_001]
        files.cut_after = None
        match = 'header = "If-Match: \\"one\\""'

        whole = run.verb("get", part, 300_001, stdin=config(url, match))

    assert whole.returncode == 0
    assert whole.stdout.splitlines()[0] == b"206"
    assert b'ETag: "one"' in whole.stdout
    assert whole.stderr.splitlines()[-1] == b"at 1000003"
    assert part.read_bytes() == files.content
    assert files.asked[1]["Range"] == "bytes=300001-"
    assert files.asked[1]["If-Match"] == '"one"'
    assert not (run.folder / "head").exists() or b"SECRET" not in whole.stdout


@needs("curl")
def test_the_position_that_is_told_last_is_the_last_one(
    run: Run, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    ls = shutil.which("ls", path=os.defpath)
    # The second one is the reporter's: it knows nothing of what comes meanwhile.
    (slow / "ls").write_text(f"""#!/bin/sh
{ls} "$@"; echo >>"{slow}/asked"
[ "$({ls} -l "{slow}/asked" | cut -d" " -f5)" != 2 ] || sleep 0.3
""")
    (slow / "ls").chmod(0o755)
    env = {**run.env, "PATH": f"{slow}:{run.env['PATH']}"}
    with Files(b"content").served() as url:
        told = run.verb("get", tmp_path / "part", 0, stdin=config(url), env=env)

    assert told.returncode == 0
    assert told.stderr.splitlines()[-1] == b"at 7"


@needs("curl")
@by_two_shells("status", [(403,), (404,), (412,), (503,)])
def test_a_refusal_is_told_and_the_part_stays(
    run: Run, tmp_path: Path, status: int
) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"some")
    with Files(b"content", status=status).served() as url:
        got = run.verb("get", part, 4, stdin=config(url))
        looked = run.verb("look", stdin=config(url))

    assert (got.returncode, looked.returncode) == (22, 22)
    assert got.stdout.splitlines()[0] == looked.stdout.splitlines()[0]
    assert got.stdout.splitlines()[0] == str(status).encode()
    assert part.read_bytes() == b"some"


def test_a_part_that_is_not_as_long_as_was_said_is_not_added_to(
    run: Run, tmp_path: Path
) -> None:
    files, part = Files(b"content"), tmp_path / "part"
    part.write_bytes(b"some")
    with files.served() as url:
        got = run.verb("get", part, 3, stdin=config(url))

    assert (got.returncode, got.stderr) == (18, b"at 4\n")
    assert files.asked == []
    assert part.read_bytes() == b"some"


@needs("curl")
def test_a_host_without_ranges_can_not_be_gone_on_with(
    run: Run, tmp_path: Path
) -> None:
    files, part = Files(b"x" * 30_000_000, ranges=False), tmp_path / "part"
    part.write_bytes(b"some")
    with files.served() as url:
        got = run.verb("get", part, 4, stdin=config(url))
        looked = run.verb("look", stdin=config(url))

    assert got.returncode == 33
    assert part.read_bytes() == b"some"
    assert looked.returncode == 0
    assert b"Content-Range" not in looked.stdout
    assert b"Content-Length: 30000000" in looked.stdout
    assert files.sent < 2 * 30_000_000


@needs("curl")
def test_nobody_there_is_told_by_curls_own_code(run: Run, tmp_path: Path) -> None:
    with socket.socket() as deaf:  # bound, so that nobody else listens there
        deaf.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/b?Signature=SECRET"
        got = run.verb("get", tmp_path / "part", 0, stdin=config(url))

    assert got.returncode == 7
    assert got.stdout.splitlines()[0] == b"000"
    assert b"at 0\n" in got.stderr


@needs("curl")
def test_a_look_has_the_head_of_the_object(run: Run) -> None:
    with Files(os.urandom(700_000)).served() as url:
        looked = run.verb("look", stdin=config(url))

    assert looked.returncode == 0
    assert looked.stdout.splitlines()[0] == b"206"
    assert b"Content-Range: bytes 0-511/700000" in looked.stdout
