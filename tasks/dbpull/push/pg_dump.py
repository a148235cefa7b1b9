"""The pg_dump of a push: the local database into a file."""

from __future__ import annotations

import re
from pathlib import Path

from dbpull.console import Reporter
from dbpull.dumps.names import Dump
from dbpull.errors.push import PushFailed
from dbpull.postgres.programs import Program
from dbpull.postgres.psql import reason
from dbpull.target.opened import Target

_TABLE = re.compile(r'dumping contents of table "?(?P<table>[^"]+)')


def dump_argv(local: Target, pg_dump: Program, path: Path) -> list[str]:
    """The command that dumps the target into a file."""
    return [
        *(pg_dump.path, "--format=custom", "--compress=1", "--verbose"),
        *("--no-owner", "--no-acl", "--no-password", "--lock-wait-timeout=60s"),
        *("--file", str(path), "--dbname", local.connection.argument),
    ]


def dump_database(
    local: Target, pg_dump: Program, dump: Dump, reporter: Reporter
) -> None:
    """Dump the target into an existing file. Raises PushFailed."""
    connection = local.connection
    argv = dump_argv(local, pg_dump, dump.path)
    with reporter.step("pg_dump", f"Dumping {connection.label}") as step:

        def on_stderr(line: str) -> None:
            if table := _TABLE.search(line):
                step.report(0, 0, table["table"])

        env = connection.environment(local.shell.environ)
        result = local.shell.run(argv, env=env, on_err=on_stderr)
        if not result.ok:
            raise PushFailed(
                f"Dumping {connection.label} failed: {_reason(result.err)}.",
                "Run it again when that has been put right.",
            )
        step.sentence = f"Dumped {connection.label}"


def _reason(err: str) -> str:
    """The error lines in pg_dump's stderr, without its lines of progress."""
    errors = [line for line in err.splitlines() if "error: " in line or "FATAL" in line]
    return reason("\n".join(errors) or err[-500:])
