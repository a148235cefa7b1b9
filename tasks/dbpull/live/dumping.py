"""A pg_dump that prints a live source's dump, and what its failure means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from dbpull.errors import PullError
from dbpull.errors.live import dump_failed
from dbpull.live import server
from dbpull.live.server import LiveServer
from dbpull.postgres.psql import Psql, reason
from dbpull.shell.output import ProgramOutput, printed


@dataclass(frozen=True)
class PgDumpOutput:
    """What pg_dump prints: the dump; see PrintedDump."""

    output: ProgramOutput
    psql: Psql

    def read(self, count: int) -> bytes:
        """Up to `count` bytes, as soon as there are any; b"" at the output's end."""
        return self.output.read(count)

    def finish(self) -> None:
        """Wait for pg_dump's end. Raises DumpFailed, SourceInterrupted."""
        result = self.output.wait()
        if not result.ok:
            raise self._failed(result.err, result.code)

    def end(self) -> None:
        """End pg_dump, from any thread."""
        self.output.end()

    def _failed(self, err: str, code: int) -> PullError:
        said = re.sub(r"^pg_dump: (?:error|detail): ", "", reason(err))
        if not err.strip():
            said = f"pg_dump ended with code {code} and without a message"
        holders = self._lock_holders() if "due to statement timeout" in err else []
        return dump_failed(self.psql.connection.label, said, err, holders)

    def _lock_holders(self) -> list[str]:
        with suppress(PullError):
            return server.lock_holders(self.psql)
        return []


@contextmanager
def dumping(
    argv: Sequence[str], facts: LiveServer, psql: Psql
) -> Iterator[PgDumpOutput]:
    """Start pg_dump on the connection of `psql`; it ends with the context.

    The dump has the encoding of the database, so no other is asked for.
    """
    environ = psql.shell.environ
    env = psql.connection.environment(environ, facts.options)
    env.pop("PGCLIENTENCODING", None)
    with printed(argv, env=env) as output:
        yield PgDumpOutput(output, psql)
