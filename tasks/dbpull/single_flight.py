"""A single flight: the first caller asks a question, the others wait for the answer."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dbpull.signals import SIGNALS

T = TypeVar("T")


@dataclass
class _Answer(Generic[T]):
    value: T | None = None
    error: BaseException | None = None
    is_known: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class SingleFlight(Generic[T]):
    """Keeps each question's answer or error until the process ends."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, _Answer[T]] = {}
        self._asked: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    def __call__(self, question: Hashable, ask: Callable[[], T], host: str = "") -> T:
        """The answer: the first caller asks, other callers wait for it meanwhile.

        A question that a host repeats, in another task, is asked anew.
        """
        with self._lock:
            number = self._asked[question, host] if host else 0
            self._asked[question, host] += 1
            answer = self._answers.setdefault((question, number), _Answer())
        with answer.lock:
            if not answer.is_known:
                self._fill(answer, ask)
        if answer.error:
            # A signal that ended the question must not end the cleanup of each caller.
            SIGNALS.met()
            raise answer.error
        return answer.value  # type: ignore[return-value] # None only where T is

    @staticmethod
    def _fill(answer: _Answer[T], ask: Callable[[], T]) -> None:
        try:
            answer.value = ask()
        except BaseException as error:  # noqa: BLE001 - raised again, for each
            answer.error = error
        answer.is_known = True
