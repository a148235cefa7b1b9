"""Ctrl-C, `kill` and a closed terminal: all end a run in order, once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """A signal asked us to stop; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.code = 128 + number
        """The exit code that a shell gives to it."""


class Signals:
    """Turns the first signal into Stopped, and lets nothing disturb the cleaning up."""

    def __init__(self) -> None:
        self._received: list[int] = []
        self._deferring = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals while in the context (only the main thread can)."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        self._received.clear()
        # What is ignored (nohup, a script's background job) stays ignored.
        before = {
            number: signal.signal(number, self._on)
            for number in _SIGNALS
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let a signal wait until the context's end."""
        self._deferring = True
        try:
            yield
        finally:
            self._deferring = False
        if self._received:
            raise Stopped(self._received[0])

    def _on(self, number: int, _frame: FrameType | None) -> None:
        self._received.append(number)
        # The third Ctrl-C is somebody who can't wait for the cleaning up.
        impatient = self._received.count(signal.SIGINT) > 2
        if impatient or (len(self._received) == 1 and not self._deferring):
            raise Stopped(number)


SIGNALS = Signals()
"""The one handler of this process."""
