"""How a run ends: each error with its code, and with how things stand by then."""

from __future__ import annotations

import re
import signal
from io import StringIO

import pytest

from dbpull.errors import Interrupted, PullError, TaskFailed
from dbpull.errors.local import LocalTrouble
from dbpull.errors.postgres import BadUrl
from dbpull.errors.restore import RestoreFailed
from dbpull.flows.run import UNTOUCHED, reporting
from dbpull.naming import command
from dbpull.shell.local import Local


def test_what_ends_a_run_midway_tells_how_things_stand() -> None:
    with (
        pytest.raises(TaskFailed, match="The target is as it was") as caught,
        reporting(UNTOUCHED),
    ):
        raise RestoreFailed("INDEX a", "no")

    assert isinstance(caught.value.error, RestoreFailed)


def test_a_step_may_say_how_things_stand_by_now() -> None:
    with pytest.raises(TaskFailed) as caught, reporting(UNTOUCHED) as reporter:  # noqa: PT012
        reporter.on_failure("All is done.")
        raise RestoreFailed("INDEX a", "no")

    assert "All is done." in str(caught.value)
    assert "as it was" not in str(caught.value)


def test_a_refusal_says_no_more_than_it_must() -> None:
    with pytest.raises(TaskFailed, match="--target") as caught, reporting(UNTOUCHED):
        raise BadUrl("--target", "no")

    assert "as it was" not in str(caught.value)


def test_trouble_with_a_file_is_no_traceback() -> None:
    with (
        pytest.raises(TaskFailed, match=r"No space left.*\n.*as it was") as caught,
        reporting(UNTOUCHED),
    ):
        raise OSError(28, "No space left on device", "b101.dump")

    assert isinstance(caught.value.error, LocalTrouble)


@pytest.mark.parametrize(
    ("shell", "host", "typed"),
    [
        (None, "", "invoke db.undo"),
        (None, "devbox", "fab -H devbox db.undo"),
        (Local(), "", "invoke db.undo"),
        (Local(typed="./manage.py db:{}".format), "", "./manage.py db:undo"),
    ],
)
def test_what_to_type_next_is_filled_in_where_it_is_told(
    shell: Local | None, host: str, typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    undo = f"`{command('undo')}` goes back."
    frame = reporting(undo, shell, host=host)
    with pytest.raises(TaskFailed) as caught, frame as reporter:  # noqa: PT012
        reporter.say(undo)
        raise RestoreFailed("INDEX a", "no", f"Or: {undo}")

    told = f"`{typed}` goes back."
    assert capsys.readouterr().err.endswith(f"{told}\n")
    assert str(caught.value).endswith(f"\n{told} Or: {told}")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "variables", "printed"),
    [
        (StringIO(), {}, "Error: No.\nWait."),
        (Terminal(), {}, "\x1b[1;31mError:\x1b[0m No.\nWait."),
        (Terminal(), {"NO_COLOR": "1"}, "Error: No.\nWait."),
        (Terminal(), {"TERM": "dumb"}, "Error: No.\nWait."),
        (None, {}, "Error: No.\nWait."),
    ],
)
def test_an_error_is_printed_under_its_label(
    stream: StringIO | None,
    variables: dict[str, str],
    printed: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {"NO_COLOR": "", "TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stderr", stream)
    error = PullError("No.", "Wait.")

    assert error.message == printed
    assert str(error) == "No.\nWait."


def test_an_error_can_not_be_changed() -> None:
    error = PullError("No.", "Wait.", code=3)

    for name in ("what", "remedy", "message", "code", "more"):
        with pytest.raises(AttributeError):
            setattr(error, name, 4)


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
            TaskFailed, match=re.escape(f"Stopped by {how} while swapping.")
        ) as caught,
        reporting() as reporter,
        reporter.step("swap", "Swapping"),
    ):
        signal.raise_signal(number)

    assert isinstance(caught.value.error, Interrupted)
    assert caught.value.code == 128 + number


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with reporting():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
