"""The frame of a task's run: its reporter, its signals, and the errors that end it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dbpull.console import Reporter, outlive_stderr
from dbpull.errors import Interrupted, PullError
from dbpull.errors.local import LocalTrouble
from dbpull.naming import NAME
from dbpull.shell import Shell
from dbpull.signals import SIGNALS, Stopped

UNTOUCHED = "The target is as it was."


@contextmanager
def reporting(
    state_on_failure: str = "", shell: Shell | None = None, *, host: str = ""
) -> Iterator[Reporter]:
    """Give a run its reporter; turn Ctrl-C, `kill` and a full disk into a PullError.

    `state_on_failure`: the state of things, until a step sets another. The commands in
    errors are worded for the machine of `shell`, or for `host`.
    """
    outlive_stderr()
    reporter = Reporter(shell.host if shell else host)
    reporter.state_on_failure = state_on_failure
    try:
        with SIGNALS.handled(), _worded(reporter):
            yield reporter
    except PullError as error:
        reworded = error.retold(_commands(shell, host))
        if reworded is error:
            raise
        raise reworded from error
    finally:
        reporter.end()


def _commands(shell: Shell | None, host: str) -> Callable[[str], str]:
    """A function that gives the command to type for a task."""
    if shell:
        return shell.command_for
    program = f"fab -H {host}" if host else "invoke"
    return lambda task: f"{program} {NAME.task(task)}"


@contextmanager
def _worded(reporter: Reporter) -> Iterator[None]:
    """Turn signals and OSErrors into PullErrors, and add the state to each error."""
    try:
        yield
    except Stopped as stopped:
        raise _interrupted(reporter, stopped.number) from None
    except KeyboardInterrupt:
        raise _interrupted(reporter, signal.SIGINT) from None
    except OSError as error:
        raise _with_state(LocalTrouble(error), reporter) from error
    except PullError as error:
        _with_state(error, reporter)
        raise


def _with_state(error: PullError, reporter: Reporter) -> PullError:
    if error.midway and reporter.state_on_failure:
        error.add(reporter.state_on_failure)
    return error


def _interrupted(reporter: Reporter, number: int) -> Interrupted:
    how = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}.get(
        signal.Signals(number), "SIGHUP (the terminal was closed)"
    )
    when = f" while {_lowered(reporter.doing)}" if reporter.doing else ""
    return Interrupted(
        f"Stopped by {how}{when}.", reporter.state_on_failure, code=128 + number
    )


def _lowered(doing: str) -> str:
    return doing[:1].lower() + doing[1:]
