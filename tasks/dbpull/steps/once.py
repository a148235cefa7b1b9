"""What Heroku is asked once for all hosts: the first one's question serves the others.

Without a host nothing is kept: each task of a run asks anew.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dbpull.console import Teller
from dbpull.errors import PullError
from dbpull.heroku import Backup
from dbpull.settings import Settings
from dbpull.signals import SIGNALS
from dbpull.steps import source
from dbpull.steps.source import Source

T = TypeVar("T")


@dataclass
class _Answer(Generic[T]):
    value: T | None = None
    error: BaseException | None = None
    there: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Once(Generic[T]):
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


_found: Once[Source] = Once()
_backups: Once[Backup] = Once()


def _once(
    answers: Once[T], question: Hashable, ask: Callable[[], T], teller: Teller
) -> T:
    return answers(question, ask, teller.host) if teller.host else ask()


def find(settings: Settings, teller: Teller) -> Source:
    """The app's database; see `source.find`."""

    def ask() -> Source:
        return source.find(settings, teller.for_all)

    return _once(_found, (settings.app, settings.database), ask, teller)


def obtain(
    found: Source,
    settings: Settings,
    teller: Teller,
    *,
    backup: str | None,
    capture: bool,
) -> Backup:
    """The backup to pull, captured where that is needed or asked for."""

    def ask() -> Backup:
        age = settings.max_age
        choice = source.choose(found, backup=backup, capture=capture, max_age=age)
        return source.obtain(found, choice, settings.wait, teller.for_all)

    question = "obtain", found.label, found.database.id, backup, capture
    return _once(_backups, question, ask, teller)


def existing(
    found: Source, settings: Settings, teller: Teller, backup: str | None
) -> Backup:
    """The named backup, or the newest; see `source.existing`."""

    def ask() -> Backup:
        return source.existing(found, backup, settings.wait, teller.for_all)

    question = "existing", found.label, found.database.id, backup
    return _once(_backups, question, ask, teller)


def capture(found: Source, settings: Settings, teller: Teller) -> Backup:
    """A new backup; see `source.capture`."""

    def ask() -> Backup:
        return source.capture(found, settings.wait, teller.for_all)

    question = "capture", found.label, found.database.id
    return _once(_backups, question, ask, teller)
