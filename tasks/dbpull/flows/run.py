"""The frame of a task's run: its reporter, its signals, and the errors that end it."""

from __future__ import annotations

import atexit
import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from dbpull.console import (
    USUAL,
    Output,
    Reporter,
    Trouble,
    document,
    out,
    outlive_stderr,
)
from dbpull.errors import Interrupted, PullError, TaskFailed
from dbpull.errors.local import LocalTrouble
from dbpull.naming import NAME, CommandFor
from dbpull.shell import Shell
from dbpull.signals import SIGNALS, Stopped

UNTOUCHED = "The target is as it was."
# Python looks through all that was imported for cycles once more before it ends, which
# takes a tenth of a small pull's CPU time.
atexit.register(gc.freeze)


@contextmanager
def reporting(
    state: str = "",
    shell: Shell | None = None,
    *,
    host: str = "",
    kept: str = "",
    output: Output = USUAL,
) -> Iterator[Reporter]:
    """Give a run its reporter; turn the error that ends the run into TaskFailed.

    Ctrl-C, `kill` and a full disk end it, too. `state`, `kept`: what to tell on a
    failure, until a step says otherwise. The commands in messages are those of the
    machine of `shell`, or of `host`. `output` may ask for the result as JSON, on
    stdout: the flow adds to `Reporter.facts`.
    """
    outlive_stderr()
    command_for = _commands(shell, host)
    reporter = Reporter(shell.host if shell else host, command_for, output)
    reporter.on_failure(state, kept)
    try:
        with SIGNALS.handled(), _worded(reporter):
            yield reporter
    except PullError as error:
        failed = TaskFailed(error, reporter.state_on_failure, command_for)
        _end(reporter, Trouble(failed.what, failed.remedy, failed.code))
        raise failed from error
    else:
        _end(reporter)
    finally:
        reporter.end()


def _end(reporter: Reporter, error: Trouble | None = None) -> None:
    reporter.end()
    if reporter.output.json:
        out(document(reporter, reporter.facts, error))


def _commands(shell: Shell | None, host: str) -> CommandFor:
    if shell:
        return shell.command_for
    return (lambda task: f"fab -H {host} {NAME.task(task)}") if host else NAME.invoke


@contextmanager
def _worded(reporter: Reporter) -> Iterator[None]:
    """Turn signals and OSErrors into PullErrors."""
    try:
        yield
    except Stopped as stopped:
        raise _interrupted(reporter, stopped.number) from None
    except KeyboardInterrupt:
        raise _interrupted(reporter, signal.SIGINT) from None
    except OSError as error:
        raise LocalTrouble(error) from error


def _interrupted(reporter: Reporter, number: int) -> Interrupted:
    how = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}.get(
        signal.Signals(number), "SIGHUP (the terminal was closed)"
    )
    doing = reporter.doing
    when = f" while {doing[0].lower()}{doing[1:]}" if doing else ""
    return Interrupted(f"Stopped by {how}{when}.", code=128 + number)
