"""Signals are handled within the context, and left alone elsewhere."""

from __future__ import annotations

import signal
import threading

from dbpull.signals import SIGNALS, Signals, Stopped


def test_after_the_context_signals_mean_what_they_meant_before() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with SIGNALS.handled():
        assert signal.getsignal(signal.SIGTERM) is not before

    assert signal.getsignal(signal.SIGTERM) is before


def test_without_a_signal_nothing_is_deferred_and_nothing_raised() -> None:
    signals = Signals()

    with signals.handled(), signals.deferred():
        pass


def test_in_another_thread_signals_are_left_alone() -> None:
    seen = []

    def work() -> None:
        with Signals().handled():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

    assert seen == [signal.getsignal(signal.SIGTERM)]


def test_being_stopped_passes_what_only_expects_errors() -> None:
    assert issubclass(Stopped, KeyboardInterrupt)
    assert not issubclass(Stopped, Exception)
