"""What a command may print in place of a dump: refused as soon as that is known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dbpull.console import Reporter
from dbpull.download.arriving import PrintedDump, Scratch
from dbpull.dumps.arrival import accept
from dbpull.dumps.names import Dump
from dbpull.dumps.printed import spooled
from dbpull.errors import PullError
from dbpull.shell import output as programs
from dbpull.shell.output import printed
from dbpull.sources.command_output import CommandDump
from dbpull.sources.source import ByProgram

ITSELF = "Run it by itself"


@pytest.mark.parametrize(
    ("command", "cause", "remedy"),
    [
        ("true", "printed nothing", "ssh -T"),
        ("kill -9 $$", "was ended by signal 9, without a word", ITSELF),
        ("no-such-program x", "exit code 127: .*no-such-program.*not found", ITSELF),
        ("echo Last login", "is no dump: .*; it begins: Last login", "ssh -T"),
        ("printf -- '-- \\nSET x'", "is no dump: it is plain SQL", "pg_dump -Fc"),
    ],
)
def test_what_is_no_dump_at_all_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    cause: str,
    remedy: str,
) -> None:
    monkeypatch.setattr(programs, "STDERR_ENDS", 60.0)

    @contextmanager
    def start(_: Reporter, __: Scratch) -> Iterator[PrintedDump]:
        with printed(["sh", "-c", command]) as output:
            yield CommandDump(output, command)

    dump = Dump.named(tmp_path, "command", "d1", datetime(2026, 11, 29, tzinfo=UTC))
    with (
        pytest.raises(PullError) as caught,
        spooled(ByProgram(start), dump, accept, Reporter(), 60.0),
    ):
        pass

    assert re.search(cause, caught.value.what)
    assert re.search(remedy, caught.value.remedy)
    assert [path.name for path in tmp_path.iterdir() if "command" in path.name] == []
