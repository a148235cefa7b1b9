"""The tree of errors: each error words itself.

::

    PullError (invoke.Exit: one line or two on stderr, exit code 1, no traceback)
    ├── TaskFailed        the end of a task by another error, with the state added
    ├── Interrupted       Ctrl-C, kill, a closed terminal
    ├── errors.settings   settings and flags
    ├── errors.sources    any source: no name, no backup
    ├── errors.http_api   requests to a provider
    ├── errors.heroku     apps, databases, backups; requests: errors.heroku_http
    ├── errors.download   connection, download host, full disk
    ├── errors.archive    the dump file
    ├── errors.postgres   programs, connections, statements
    ├── errors.target     the database to be replaced
    ├── errors.restore    the restore; too little disk for it
    ├── errors.masks      rules of masks, and columns that they can't mask
    ├── errors.kept_rows  rows of the old database that come along
    ├── errors.hooks      the user's own commands
    ├── errors.push       the push, and its way back
    ├── errors.hosts      a machine reached over SSH
    ├── errors.embedded   the embedded server
    ├── errors.stand_in   the stand-in for Heroku
    └── errors.local      this machine's disk and folders

Each class words its data in two sentences: what happened and where, then what to do
next. No message holds a password, a token or a presigned URL.
"""

from __future__ import annotations

from invoke.exceptions import Exit

from dbpull.errors.shown import shown
from dbpull.naming import NAME, CommandFor, filled


class PullError(Exit):
    """Base of every error raised on purpose; a finished error is never changed.

    `what` is a sentence with the cause; `remedy` a sentence with the next step. Both
    may have placeholders for commands (`naming.command`). `code` is the exit code of
    the program.
    """

    midway = False
    """Whether the error may end a run midway: the target's state is then told, too."""

    def __init__(self, what: str, remedy: str = "", *, code: int = 1) -> None:
        self.what = what
        self.remedy = remedy
        self._text = self.told(NAME.invoke)
        # Invoke's own __init__ would set `message`.
        Exception.__init__(self, self._text)
        self._code = code

    def told(self, command_for: CommandFor) -> str:
        """The error's text, with `command_for`'s command lines."""
        return filled(f"{self.what}\n{self.remedy}".strip(), command_for)

    @property
    def message(self) -> str:  # type: ignore[override] # Invoke's is an attribute
        """The text that Invoke and Fabric print."""
        return shown(self._text)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse to change a finished error; Python sets `__traceback__` and others."""
        if "_code" in vars(self) and not name.startswith("__"):
            raise AttributeError(f"{type(self).__name__} can't be changed")
        super().__setattr__(name, value)

    def __str__(self) -> str:
        return self._text


class Interrupted(PullError):
    """Ctrl-C (130), `kill` (143) or a closed terminal (129) ended the run."""

    midway = True

    def __init__(self, what: str, remedy: str = "", *, code: int = 130) -> None:
        super().__init__(what, remedy, code=code)


class TaskFailed(PullError):
    """The end of a task by an error, with the databases' state and the next command."""

    def __init__(self, error: PullError, state: str, command_for: CommandFor) -> None:
        self.error = error
        remedy = f"{state} {error.remedy}".strip() if error.midway else error.remedy
        what, remedy = filled(error.what, command_for), filled(remedy, command_for)
        super().__init__(what, remedy, code=error.code)
