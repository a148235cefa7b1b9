"""What several hosts need to know is asked once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import count

import pytest

from dbpull.errors.settings import SettingsError
from dbpull.single_flight import SingleFlight


def test_what_a_host_asks_again_is_asked_anew_and_once_for_all() -> None:
    once: SingleFlight[int] = SingleFlight()
    numbers = count(1)

    def asks(host: str) -> int:
        return once("which", lambda: next(numbers), host)

    assert [asks("devbox"), asks("ci"), asks("devbox"), asks("ci")] == [1, 1, 2, 2]
    assert [once("which", lambda: next(numbers)) for _ in range(2)] == [1, 1]


def test_who_asks_meanwhile_waits_for_the_answer() -> None:
    once: SingleFlight[int] = SingleFlight()
    asking, may_answer = threading.Event(), threading.Event()
    answers = []

    def slowly() -> int:
        asking.set()
        may_answer.wait()
        return 7

    def ask(host: str, how: Callable[[], int]) -> threading.Thread:
        work = threading.Thread(target=lambda: answers.append(once("x", how, host)))
        work.start()
        return work

    first = ask("devbox", slowly)
    asking.wait()
    second = ask("ci", lambda: 8)
    may_answer.set()
    for thread in (first, second):
        thread.join()

    assert answers == [7, 7]


def test_an_error_is_everybodys_answer() -> None:
    once: SingleFlight[int] = SingleFlight()

    def refuse() -> int:
        raise SettingsError("Heroku says no.", "Ask again.")

    for host in ("devbox", "ci"):
        with pytest.raises(SettingsError, match="Heroku says no"):
            once("x", refuse, host)
