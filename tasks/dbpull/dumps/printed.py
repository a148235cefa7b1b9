"""A dump that a program prints: spooled here, and judged by what was printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from dbpull import layers
from dbpull.archive import RECOGNISABLE
from dbpull.console import Reporter, Step
from dbpull.download.arriving import PrintedDump, Scratch
from dbpull.download.spool import Spool
from dbpull.dumps import names
from dbpull.dumps.names import Dump
from dbpull.errors.archive import (
    BadDump,
    DamagedDump,
    DamagedLayer,
    NotADump,
    TruncatedDump,
)
from dbpull.redact import redacted
from dbpull.sources.source import ByProgram

KEPT = "A whole dump stays for the next run; a part of one can't be resumed."
AGAIN = "Run the same command again, or read the database through a tunnel."
ENOUGH = 8  # line ends that can't all follow a carriage return by chance
ALONE = (
    "Let the command print nothing but the dump: without a terminal (ssh -T, docker"
    " exec -i, docker compose exec -T), and by `pg_dump -Fc`."
)


@contextmanager
def spooled(
    way: ByProgram,
    dump: Dump,
    accepts: Callable[[bytes], object],
    reporter: Reporter,
    patience: float,
) -> Iterator[Spool]:
    """Start the program, and spool what it prints; the dump's first bytes are accepted.

    Raises BadDump also for what the context finds out about the dump.
    """

    def start() -> AbstractContextManager[PrintedDump]:
        folder = dump.path.with_name(dump.path.name + names.UNPACKED)
        return way.start(reporter, Scratch(folder, spool.grown))

    for part in names.parts(dump.path.parent, dump.app):
        names.remove_part(part)  # can't be resumed
    reporter.kept_on_failure = KEPT
    waiting = f"Waiting for the first bytes of {dump.label}"
    with Spool(
        start,
        dump.path,
        host=dump.label,
        accepts=accepts,
        notice=reporter.note,
        ended=lambda: reporter.say("The source is no longer read."),
        patience=patience,
    ) as spool:
        try:
            # A lock on one of its tables keeps pg_dump from printing for 30 seconds.
            with reporter.underway(Step("fetch", waiting, "", reporter.host)):
                spool.start()
            reporter.doing = f"Fetching {dump.label}"
            yield spool
        except BadDump as error:
            raise _reworded(error, spool.first, dump.label) from None


def _reworded(error: BadDump, first: bytes, label: str) -> BadDump:
    """The error of a dump whose program said that it succeeded."""
    what = f"The output of {label}"
    if not first:
        return BadDump(f"The command of {label} printed nothing.", ALONE)
    if isinstance(error, DamagedDump) and _from_terminal(first):
        return BadDump(f"{what} came through a terminal, which has changed it.", ALONE)
    if isinstance(error, TruncatedDump | DamagedLayer):
        where = " or is damaged,"
        if isinstance(error, TruncatedDump):
            where = f", {error.where},"
        said = "though the command said that it succeeded"
        return BadDump(f"{what} ended early{where} {said}.", AGAIN)
    if isinstance(error, NotADump) and not layers.is_packed(first):
        return BadDump(f"{what} is no dump: {error.looks}{_begins(first)}.", ALONE)
    return error


def _begins(first: bytes) -> str:
    """The first line of what was printed, without secrets, if it is text."""
    try:
        line = first[:RECOGNISABLE].decode().lstrip().partition("\n")[0]
    except UnicodeDecodeError:
        return ""
    return f"; it begins: {redacted(line)}" if line.isprintable() else ""


def _from_terminal(first: bytes) -> bool:
    """Whether a terminal has put a carriage return before each line end."""
    ends = first.count(b"\n")
    return ends >= ENOUGH and ends == first.count(b"\r\n")
