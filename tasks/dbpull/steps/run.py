"""One run of a task: its story, its signals, and the errors that end it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from dbpull.console import Teller
from dbpull.errors import Interrupted
from dbpull.errors.local import LocalTrouble
from dbpull.signals import SIGNALS, Stopped


@contextmanager
def told() -> Iterator[Teller]:
    """Tell a run's story; Ctrl-C, `kill` and a full disk end it with two sentences."""
    teller = Teller()
    with SIGNALS.handled():
        try:
            yield teller
        except Stopped as stopped:
            raise _interrupted(teller, stopped.number) from None
        except KeyboardInterrupt:
            raise _interrupted(teller, signal.SIGINT) from None
        except OSError as error:
            raise LocalTrouble(error) from error


def _interrupted(teller: Teller, number: int) -> Interrupted:
    how = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "kill"}.get(
        signal.Signals(number), "the terminal's end"
    )
    when = f" while {_lowered(teller.doing)}" if teller.doing else ""
    return Interrupted(f"Stopped by {how}{when}.", teller.standing, code=128 + number)


def _lowered(doing: str) -> str:
    return doing[:1].lower() + doing[1:]
