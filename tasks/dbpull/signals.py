"""The signals of Ctrl-C, `kill` and a closed terminal: each ends a run in order."""

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
"""Seconds between two checks for a signal."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """Ends a run after a signal; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.code = 128 + number
        """The exit code that a shell gives to a program ended by the signal."""


class _ThreadState(threading.local):
    """A thread's own state: how the thread reacts to a signal."""

    deferring = False
    hears = False
    """Whether `check` may raise in the thread: only once, and only inside `handled`."""


class Signals:
    """Turns the first signal into Stopped; later signals don't disturb the clean-up.

    Python calls signal handlers in the main thread alone. Where other threads work,
    the main thread waits for them in `awaited`, and each of them calls `check`.
    """

    def __init__(self) -> None:
        self._received: list[int] = []
        self._awaiting = False
        self._mine = _ThreadState()

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle signals while in the context; in another thread let `check` raise."""
        if threading.current_thread() is not threading.main_thread():
            self._mine.hears = True
            try:
                yield
            finally:
                self._mine.hears = False
            return
        self._received.clear()
        # Ignored signals (nohup, a script's background job) stay ignored.
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
        """Handle signals while other threads work: `check` raises in them."""
        self._awaiting = True
        try:
            with self.handled():
                yield
        finally:
            self._awaiting = False

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let a signal wait until the context's end, in this thread.

        A signal from before the context, which may have led to this clean-up, is not
        raised again.
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
        """Wait for a change; the caller holds its lock, also where Stopped is raised.

        Amid threading's own wait, Stopped would be raised with the lock neither held
        nor released, and leaving the lock's context would fail with another error.
        """
        if threading.current_thread() is not threading.main_thread():
            change.wait(seconds)
            return
        with self.deferred():
            change.wait(seconds)

    def check(self) -> None:
        """Raise Stopped, once in each working thread, where a signal has come."""
        if self._received and self._mine.hears and not self._mine.deferring:
            self._mine.hears = False
            raise Stopped(self._received[0])

    def met(self) -> None:
        """Keep `check` from raising in this thread, which knows of the signal."""
        if self._received:
            self._mine.hears = False

    def during(
        self, work: Callable[[], _T], look: Callable[[], object] = lambda: None
    ) -> _T:
        """Do work that blocks signals in another thread; check for signals meanwhile.

        By many short waits: a signal that came just before a long wait, or to another
        thread, would be handled only at the wait's end. Each check also calls `look`,
        whose error ends the wait.
        """
        done: Future[_T] = Future()

        def do() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 - `done.result` raises it
                done.set_exception(error)

        thread = threading.Thread(target=do, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(PAUSE)
            self.check()
            look()
        return done.result()

    def pause(self, seconds: float) -> None:
        """Sleep, and check for signals meanwhile."""
        deadline = time.monotonic() + seconds
        while (remaining := deadline - time.monotonic()) > 0:
            self.check()
            time.sleep(min(remaining, PAUSE))
        self.check()

    def _on(self, number: int, _frame: FrameType | None) -> None:
        self._received.append(number)
        # The third Ctrl-C: the user does not wait for the clean-up.
        impatient = self._received.count(signal.SIGINT) > 2
        waits = self._awaiting or self._mine.deferring
        if impatient or (len(self._received) == 1 and not waits):
            raise Stopped(number)


SIGNALS = Signals()
"""The handler of this process."""
