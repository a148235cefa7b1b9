"""One run of a task: its story, its signals, and the errors that end it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dbpull.console import Teller, outlive_stderr
from dbpull.errors import Interrupted, PullError
from dbpull.errors.local import LocalTrouble
from dbpull.naming import NAME
from dbpull.shell import Shell
from dbpull.signals import SIGNALS, Stopped

UNTOUCHED = "The target is as it was."
RESUMES = "What was downloaded stays for the next run."
ANEW = "A whole download stays for the next run; its host can't resume a part of one."


@contextmanager
def told(
    standing: str = "", shell: Shell | None = None, *, host: str = ""
) -> Iterator[Teller]:
    """Tell a run's story; Ctrl-C, `kill` and a full disk end it with two sentences.

    `standing` says how things stand as long as no step says otherwise. What the
    sentences say to do next is to be done where `shell` is, or at `host`.
    """
    outlive_stderr()
    teller = Teller(shell.host if shell else host)
    teller.standing = standing
    try:
        with SIGNALS.handled(), _worded(teller):
            yield teller
    except PullError as error:
        theirs = error.retold(_commands(shell, host))
        if theirs is error:
            raise
        raise theirs from error
    finally:
        teller.end()


def _commands(shell: Shell | None, host: str) -> Callable[[str], str]:
    if shell:
        return shell.command_for
    program = f"fab -H {host}" if host else "invoke"
    return lambda task: f"{program} {NAME.task(task)}"


@contextmanager
def _worded(teller: Teller) -> Iterator[None]:
    try:
        yield
    except Stopped as stopped:
        raise _interrupted(teller, stopped.number) from None
    except KeyboardInterrupt:
        raise _interrupted(teller, signal.SIGINT) from None
    except OSError as error:
        raise _standing(LocalTrouble(error), teller) from error
    except PullError as error:
        _standing(error, teller)
        raise


def _standing(error: PullError, teller: Teller) -> PullError:
    if error.midway and teller.standing:
        error.add(teller.standing)
    return error


def _interrupted(teller: Teller, number: int) -> Interrupted:
    how = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "kill"}.get(
        signal.Signals(number), "the terminal's end"
    )
    when = f" while {_lowered(teller.doing)}" if teller.doing else ""
    return Interrupted(f"Stopped by {how}{when}.", teller.standing, code=128 + number)


def _lowered(doing: str) -> str:
    return doing[:1].lower() + doing[1:]
