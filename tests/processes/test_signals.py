"""Signals to a real process: the first ends it in order, the rest disturb nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

BEGIN = """
import select, signal, sys, time
from dbpull.signals import SIGNALS, Stopped
def say(text): print(text, flush=True)
def wait():
    say("waiting")
    # Python would not handle a signal that comes just before a long wait.
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        pass
    sys.stdin.readline()
"""


@contextmanager
def process(body: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs BEGIN and `body`."""
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN + body],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            yield started
        finally:
            started.kill()


def heard(started: subprocess.Popen[str]) -> str:
    assert started.stdout
    return started.stdout.readline().strip()


def proceed(started: subprocess.Popen[str]) -> None:
    assert started.stdin
    started.stdin.write("\n")
    started.stdin.flush()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_stops_and_tells_which_it_was(number: signal.Signals) -> None:
    body = """
try:
    with SIGNALS.handled():
        wait()
except Stopped as stopped:
    say(f"stopped by {stopped.number}")
"""
    with process(body) as started:
        assert heard(started) == "waiting"
        started.send_signal(number)
        assert heard(started) == f"stopped by {number.value}"


def test_a_second_signal_does_not_disturb_the_cleaning_up() -> None:
    body = """
with SIGNALS.handled():
    try:
        wait()
    finally:
        say("cleaning up")
        wait()
        say("cleaned up")
"""
    with process(body) as started:
        assert heard(started) == "waiting"
        started.send_signal(signal.SIGINT)
        assert heard(started) == "cleaning up"
        assert heard(started) == "waiting"
        started.send_signal(signal.SIGINT)
        started.send_signal(signal.SIGTERM)
        proceed(started)
        assert heard(started) == "cleaned up"


def test_the_third_ctrl_c_ends_the_cleaning_up() -> None:
    body = """
with SIGNALS.handled():
    try:
        wait()
    except Stopped:
        try:
            for number in range(1, 9):
                say(f"had {number}")
                while len(SIGNALS._received) == number:
                    time.sleep(0.01)
        except Stopped:
            say("left")
"""
    with process(body) as started:
        assert heard(started) == "waiting"
        for number in (1, 2):
            started.send_signal(signal.SIGINT)
            assert heard(started) == f"had {number}"
        started.send_signal(signal.SIGINT)
        assert heard(started) == "left"


def test_what_is_deferred_is_finished_first() -> None:
    body = """
try:
    with SIGNALS.handled():
        with SIGNALS.deferred():
            wait()
            say("finished")
        say("never")
except Stopped as stopped:
    say(f"then stopped by {stopped.number}")
"""
    with process(body) as started:
        assert heard(started) == "waiting"
        started.send_signal(signal.SIGTERM)
        proceed(started)
        assert heard(started) == "finished"
        assert heard(started) == "then stopped by 15"


def test_a_signal_amid_a_wait_for_a_change_leaves_its_lock_as_it_should_be() -> None:
    body = """
import threading
class Unlucky(threading.Condition):
    def _release_save(self):
        self._lock.release()
        signal.raise_signal(signal.SIGINT)
change = Unlucky(threading.Lock())
try:
    with SIGNALS.handled(), change:
        SIGNALS.wait(change, 0.01)
except BaseException as error:
    say(f"{error!r}, free: {change._lock.acquire(blocking=False)}")
"""
    with process(body) as started:
        assert heard(started) == "Stopped(2), free: True"


def test_a_signal_that_does_not_wake_who_waits_for_others_is_heard() -> None:
    body = """
def work():
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
    with SIGNALS.handled():
        say("waiting")
        SIGNALS.pause(60)
        say("not heard")
# So that it is given to another thread.
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
with SIGNALS.awaited():
    try:
        SIGNALS.during(work)
    except Stopped as stopped:
        say(f"stopped by {stopped.number}")
"""
    with process(body) as started:
        assert heard(started) == "waiting"
        started.send_signal(signal.SIGINT)
        assert heard(started) == "stopped by 2"
