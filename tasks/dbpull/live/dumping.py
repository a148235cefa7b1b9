"""A pg_dump that prints a live source's dump, and what its failure means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from dbpull.errors import PullError
from dbpull.errors.live import dump_failed
from dbpull.live import server
from dbpull.live.server import LiveServer
from dbpull.postgres.psql import Psql, reason
from dbpull.shell import Result
from dbpull.shell.output import printed


class RunningProgram(Protocol):
    """A program, here or on a host, whose stdout is read while it runs."""

    def read(self, count: int) -> bytes:
        """Up to `count` bytes, as soon as there are any; b"" at the output's end."""

    def wait(self) -> Result:
        """Wait for the program's end, after the output's end."""

    def end(self) -> None:
        """End the program, from any thread."""


class StartProgram(Protocol):
    """Starts a program; leaving the context ends it."""

    def __call__(
        self, argv: Sequence[str], *, env: Mapping[str, str]
    ) -> AbstractContextManager[RunningProgram]:
        """Start it; `env` as in Shell.run."""


@dataclass(frozen=True)
class PgDumpOutput:
    """What pg_dump prints: the dump; see PrintedDump."""

    output: RunningProgram
    psql: Psql

    def read(self, count: int) -> bytes:
        """Up to `count` bytes, as soon as there are any; b"" at the output's end."""
        return self.output.read(count)

    def finish(self) -> None:
        """Wait for pg_dump's end. Raises DumpFailed, SourceInterrupted."""
        result = self.output.wait()
        if not result.ok:
            raise failed(self.psql, result.err, result.code)

    def end(self) -> None:
        """End pg_dump, from any thread."""
        self.output.end()


def failed(psql: Psql, err: str, code: int) -> PullError:
    """The error of a pg_dump that ended with a code, by its stderr."""
    said = re.sub(r"^pg_dump: (?:error|detail): ", "", reason(err))
    if not err.strip():
        said = f"pg_dump ended with code {code} and without a message"
    holders: list[str] = []
    if "due to statement timeout" in err:
        with suppress(PullError):
            holders = server.lock_holders(psql)
    return dump_failed(psql.connection.label, said, err, holders)


def environment(facts: LiveServer, psql: Psql) -> dict[str, str]:
    """The environment of a pg_dump, on the connection of `psql`.

    The dump has the encoding of the database, so no other is asked for.
    """
    env = psql.connection.environment(psql.shell.environ, facts.options)
    env.pop("PGCLIENTENCODING", None)
    return env


@contextmanager
def dumping(
    argv: Sequence[str],
    facts: LiveServer,
    psql: Psql,
    start: StartProgram = printed,
) -> Iterator[PgDumpOutput]:
    """Start pg_dump by `start`, on the connection and the machine of `psql`."""
    with start(argv, env=environment(facts, psql)) as output:
        yield PgDumpOutput(output, psql)
