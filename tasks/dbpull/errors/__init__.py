"""One tree of errors that word themselves.

::

    PullError (invoke.Exit: one line or two on stderr, exit code 1, no traceback)
    ├── Interrupted       Ctrl-C, kill, a closed terminal
    ├── errors.settings   what was configured or typed
    ├── errors.heroku     apps, databases, backups, Heroku itself
    ├── errors.download   a URL on its way to a file
    ├── errors.archive    a file that should be a dump
    ├── errors.postgres   programs, connections, statements
    ├── errors.target     the database to be replaced
    ├── errors.restore    a dump on its way into a database
    ├── errors.push       an app's database that is to be replaced
    ├── errors.remote     a machine reached over SSH
    ├── errors.embedded   the PostgreSQL of the wheel
    ├── errors.stand_in   the stand-in for Heroku
    └── errors.local      this machine's disk and folders

Each class takes data and makes the sentences from it: what happened and where,
then what to do next. No message holds a password, a token or a presigned URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Self

from invoke.exceptions import Exit

from dbpull.naming import DEFAULT, NAME


class PullError(Exit):
    """Base of every error raised on purpose.

    `what` is one sentence with the cause; `remedy` is one with what to do next.
    `code` is the exit code of the program.
    """

    midway = False
    """Whether it may end a run midway, so that how the target stands is of interest."""

    def __init__(self, what: str, remedy: str = "", *, code: int = 1) -> None:
        self.what = NAME.in_sentence(what)
        self.remedy = NAME.in_sentence(remedy)
        super().__init__(f"{self.what}\n{self.remedy}".strip(), code=code)

    def add(self, sentence: str) -> None:
        """Put one more sentence before the remedy."""
        self.remedy = f"{NAME.in_sentence(sentence)} {self.remedy}".strip()
        self.message = f"{self.what}\n{self.remedy}"

    def again(self) -> Self:
        """The same once more, for another thread to raise and to add to."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.args = self.args
        return twin

    def retold(self, command_for: Callable[[str], str]) -> Self:
        """The same, for who does not type `invoke`: what is to be done, as they do."""
        ours = rf"(?<=`)invoke {re.escape(NAME.typed)}\.(\w+)"
        remedy = re.sub(
            ours, lambda found: command_for(f"{DEFAULT}.{found[1]}"), self.remedy
        )
        return self if remedy == self.remedy else self.advising(remedy)

    def advising(self, remedy: str) -> Self:
        """The same, with another remedy."""
        twin = self.again()
        twin.remedy = remedy
        twin.message = f"{twin.what}\n{twin.remedy}".strip()
        return twin

    def __str__(self) -> str:
        return self.message or ""


class Interrupted(PullError):
    """Ctrl-C (130), `kill` (143) or a closed terminal (129) ended the run."""

    def __init__(self, what: str, remedy: str = "", *, code: int = 130) -> None:
        super().__init__(what, remedy, code=code)
