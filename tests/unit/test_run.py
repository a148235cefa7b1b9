"""How a run ends: each error with its code, and with how things stand by then."""

from __future__ import annotations

import re
import signal

import pytest

from dbpull.errors import Interrupted
from dbpull.errors.local import LocalTrouble
from dbpull.errors.postgres import BadUrl
from dbpull.errors.restore import RestoreFailed
from dbpull.flows.run import UNTOUCHED, reporting


def test_what_ends_a_run_midway_tells_how_things_stand() -> None:
    with (
        pytest.raises(RestoreFailed, match="The target is as it was"),
        reporting(UNTOUCHED),
    ):
        raise RestoreFailed("INDEX a", "no")


def test_a_step_may_say_how_things_stand_by_now() -> None:
    with pytest.raises(RestoreFailed) as caught, reporting(UNTOUCHED) as reporter:  # noqa: PT012
        reporter.state_on_failure = "All is done."
        raise RestoreFailed("INDEX a", "no")

    assert "All is done." in str(caught.value)
    assert "as it was" not in str(caught.value)


def test_a_refusal_says_no_more_than_it_must() -> None:
    with pytest.raises(BadUrl) as caught, reporting(UNTOUCHED):
        raise BadUrl("--target", "no")

    assert "as it was" not in str(caught.value)


def test_trouble_with_a_file_is_no_traceback() -> None:
    with (
        pytest.raises(LocalTrouble, match=r"No space left.*\n.*as it was"),
        reporting(UNTOUCHED),
    ):
        raise OSError(28, "No space left on device", "b101.dump")


@pytest.mark.parametrize(
    ("number", "how"),
    [
        (signal.SIGINT, "Ctrl-C"),
        (signal.SIGTERM, "SIGTERM"),
        (signal.SIGHUP, "SIGHUP (the terminal was closed)"),
    ],
)
def test_a_signal_ends_it_with_the_code_that_a_shell_knows(
    number: signal.Signals, how: str
) -> None:
    with (
        pytest.raises(
            Interrupted, match=re.escape(f"Stopped by {how} while swapping.")
        ) as caught,
        reporting() as reporter,
        reporter.step("swap", "Swapping"),
    ):
        signal.raise_signal(number)

    assert caught.value.code == 128 + number


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with reporting():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
