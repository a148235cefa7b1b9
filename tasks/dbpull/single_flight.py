"""One asks, the others wait: an answer that serves all hosts."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dbpull.errors import PullError
from dbpull.signals import SIGNALS

T = TypeVar("T")


@dataclass
class _Answer(Generic[T]):
    value: T | None = None
    error: BaseException | None = None
    there: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class SingleFlight(Generic[T]):
    """Keeps the answer to each question for the rest of the process, errors too."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, _Answer[T]] = {}
        self._asked: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    def __call__(self, question: Hashable, ask: Callable[[], T], host: str = "") -> T:
        """The answer; whoever comes first asks, whoever comes meanwhile waits.

        What a host asks for the second time, in another task, is asked anew.
        """
        with self._lock:
            number = self._asked[question, host] if host else 0
            self._asked[question, host] += 1
            answer = self._answers.setdefault((question, number), _Answer())
        with answer.lock:
            if not answer.there:
                self._fill(answer, ask)
        if answer.error:
            # The signal that ended the asking need not end the cleaning up of each.
            SIGNALS.met()
        if isinstance(answer.error, PullError):
            raise answer.error.again() from answer.error
        if answer.error:
            raise answer.error
        return answer.value  # type: ignore[return-value] # None only where T is

    @staticmethod
    def _fill(answer: _Answer[T], ask: Callable[[], T]) -> None:
        try:
            answer.value = ask()
        except BaseException as error:  # noqa: BLE001 - raised again, for each
            answer.error = error
        answer.there = True
