"""A new export at Render: asked for once, even after a lost answer; its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from dbpull.errors import Interrupted
from dbpull.errors.http_api import HttpError, RequestRefused
from dbpull.errors.sources import CaptureInterrupted, CaptureUnseen, SourceError
from dbpull.naming import command, setting
from dbpull.network import pause_after
from dbpull.render.client import RenderApi
from dbpull.render.databases import RenderPostgres
from dbpull.render.exports import Export, exports, named

_APPEARS = 30.0  # seconds in which an export appears whose answer got lost
_LONGEST = 10.0  # seconds; exports take minutes, requests are limited

Pick = Callable[[Sequence[Export]], Export | None]


def capture(api: RenderApi, database: RenderPostgres, *, wait: float) -> Export:
    """Ask for an export, and wait up to `wait` seconds for its end.

    Render does not tell which export it has begun: it is the one that was not listed
    before. Raises SourceError, also as `follow` does. (POST /postgres/:id/export)
    """
    before = {export.key for export in exports(api, database)}
    lost, asked = "", api.clock()

    def new(known: Sequence[Export]) -> Export | None:
        found = [export for export in known if export.key not in before]
        if not found and lost and api.clock() - asked >= _APPEARS:
            raise _never_appeared(database, lost)
        return found[-1] if found else None

    waiting = _Wait(api, database, new, wait)
    with _interruptible(waiting):
        lost = _ask(api, database)
        return waiting.run()


def follow(
    api: RenderApi, database: RenderPostgres, export: Export, *, wait: float
) -> Export:
    """Wait up to `wait` seconds for the end of an export that is being taken.

    Temporary failures are waited out. Raises CaptureInterrupted, CaptureUnseen,
    SourceError where the export is gone, and lasting `HttpError`s (401, 403, 404).
    """

    def this(known: Sequence[Export]) -> Export | None:
        return named(known, export.key)

    waiting = _Wait(api, database, this, wait, export)
    with _interruptible(waiting):
        return waiting.run()


def _ask(api: RenderApi, database: RenderPostgres) -> str:
    """Ask for an export; return the reason why Render's answer got lost, if it did."""
    about = f"a new export of {database.name}"
    try:
        api.post("postgres", database.id, "export", about=about)
    except RequestRefused as error:
        raise SourceError(
            error.what,
            "Change what it complains about, pull an export that is there"
            f" (`{command('backups')}`), or let dbpull read the database itself:"
            f" `live: true` in {setting('sources')}.",
        ) from None
    except HttpError as error:
        if not error.passing or error.unsent:
            raise
        return error.what
    return ""


@dataclass
class _Wait:
    """The wait for the end of the export that `pick` takes from the list."""

    api: RenderApi
    database: RenderPostgres
    pick: Pick
    seconds: float
    found: Export | None = None
    trouble: str = ""
    """Why the last list failed, if it did."""

    def run(self) -> Export:
        begun = self.api.clock()
        while True:
            pause = max(pause_after(self.api.clock() - begun, _LONGEST), self._look())
            if self.found and self.found.url:
                return self.found
            remaining = begun + self.seconds - self.api.clock()
            if remaining <= 0:
                raise CaptureUnseen("Render", self.id, self.seconds, self.trouble)
            self.api.sleep(min(pause, remaining))

    @property
    def id(self) -> str:
        return self.found.id if self.found else ""

    def _look(self) -> float:
        """List the exports; the seconds for which Render wants no other request."""
        try:
            self.found = self.pick(exports(self.api, self.database, patience=0))
        except HttpError as error:
            if not error.passing:
                raise
            if not self.trouble:
                self.api.notice(f"{error.what} Waiting on for the export.")
            self.trouble = error.what
            return error.retry_after or 0.0
        self.trouble = ""
        return 0.0


@contextmanager
def _interruptible(waiting: _Wait) -> Iterator[None]:
    """Tell, where the wait is interrupted, that the export goes on."""
    try:
        yield
    except (KeyboardInterrupt, Interrupted) as stop:
        code = getattr(stop, "code", 130)
        raise CaptureInterrupted("Render", waiting.id, code=code) from None


def _never_appeared(database: RenderPostgres, lost: str) -> SourceError:
    return SourceError(
        f"An export of {database.name} was asked for, but the answer got lost"
        f" ({lost.rstrip('.')}) and no new export has appeared.",
        f"Look with `{command('backups')}` whether one appears; if not, run it again.",
    )
