"""Ctrl-C, `kill` and a closed terminal: all end a run in order, once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

_T = TypeVar("_T")
PAUSE = 0.2
"""Seconds between two looks at whether a signal has come."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """A signal asked us to stop; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.code = 128 + number
        """The exit code that a shell gives to it."""


class _Deferring(threading.local):
    """Each thread's own: how the thread is meant to meet a signal."""

    deferring = False
    hears = False
    """Whether `check` may raise in it: not in the helpers of others, nor twice."""


class Signals:
    """Turns the first signal into Stopped, and lets nothing disturb the cleaning up.

    Python tells the main thread alone. Where the work is done by others, the main
    thread waits for them in `awaited`, and each of them asks by `check`.
    """

    def __init__(self) -> None:
        self._received: list[int] = []
        self._awaiting = False
        self._mine = _Deferring()

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals while in the context (only the main thread can)."""
        if threading.current_thread() is not threading.main_thread():
            self._mine.hears = True
            try:
                yield
            finally:
                self._mine.hears = False
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
    def awaited(self) -> Iterator[None]:
        """Handle signals while others work: they are told by `check`."""
        self._awaiting = True
        try:
            with self.handled():
                yield
        finally:
            self._awaiting = False

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let a signal wait until the context's end, as far as this thread goes.

        One that came before, and ended what now is cleaned up, is not raised again.
        """
        before, within = len(self._received), self._mine.deferring
        self._mine.deferring = True
        try:
            yield
        finally:
            self._mine.deferring = within
        if len(self._received) > before and not within:
            self._mine.hears = False
            raise Stopped(self._received[0])

    def wait(self, change: threading.Condition, seconds: float) -> None:
        """Wait for a change, with its lock held; a signal then comes with it held.

        Amid threading's own wait it would be raised with the lock neither held nor
        let go, and leaving the lock's context would fail with another error.
        """
        if threading.current_thread() is not threading.main_thread():
            change.wait(seconds)
            return
        with self.deferred():
            change.wait(seconds)

    def check(self) -> None:
        """Raise Stopped, once in each thread that works, where a signal has come."""
        if self._received and self._mine.hears and not self._mine.deferring:
            self._mine.hears = False
            raise Stopped(self._received[0])

    def met(self) -> None:
        """Let `check` be silent in this thread: it has heard of the signal already."""
        if self._received:
            self._mine.hears = False

    def during(self, work: Callable[[], _T]) -> _T:
        """Do in a thread what hears no signals, and hear them meanwhile.

        Not by one long wait: a signal that comes just before it, or that another
        thread is given, would not be heard before the wait's end.
        """
        done: Future[_T] = Future()

        def do() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 - raised by who waits
                done.set_exception(error)

        thread = threading.Thread(target=do, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(PAUSE)
            self.check()
        return done.result()

    def pause(self, seconds: float) -> None:
        """Sleep, and check meanwhile."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, PAUSE))
        self.check()

    def _on(self, number: int, _frame: FrameType | None) -> None:
        self._received.append(number)
        # The third Ctrl-C is somebody who can't wait for the cleaning up.
        impatient = self._received.count(signal.SIGINT) > 2
        waits = self._awaiting or self._mine.deferring
        if impatient or (len(self._received) == 1 and not waits):
            raise Stopped(number)


SIGNALS = Signals()
"""The one handler of this process."""
