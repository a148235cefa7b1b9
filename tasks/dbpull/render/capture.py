"""A new export at Render: asked for once, even after a lost answer; its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dbpull.errors import Interrupted
from dbpull.errors.http_api import HttpError, RequestRefused
from dbpull.errors.sources import CaptureInterrupted, CaptureUnseen, SourceError
from dbpull.naming import command, setting
from dbpull.network import pause_after
from dbpull.render.client import RenderApi
from dbpull.render.databases import RenderPostgres
from dbpull.render.exports import Export, exports, named

_APPEARS = 30.0  # seconds in which an export appears whose answer got lost
_LONGEST_PAUSE = 10.0  # seconds; exports take minutes, requests are limited

Progress = Callable[[int, int | None], None]
Pick = Callable[[Sequence[Export]], Export | None]


def capture(
    api: RenderApi, database: RenderPostgres, *, wait: float, progress: Progress
) -> Export:
    """Ask for an export, and wait up to `wait` seconds for its end.

    Render does not tell which export it has begun: it is the one that was not listed
    before. Raises SourceError, also as `follow` does. (POST /postgres/:id/export)
    """
    before = {export.key for export in exports(api, database)}
    lost = _ask(api, database)
    begun = api.clock()

    def new(known: Sequence[Export]) -> Export | None:
        found = [export for export in known if export.key not in before]
        if not found and lost and api.clock() - begun >= _APPEARS:
            raise _never_appeared(database, lost)
        return found[-1] if found else None

    return _awaited(api, database, new, wait, progress)


def follow(
    api: RenderApi,
    database: RenderPostgres,
    export: Export,
    *,
    wait: float,
    progress: Progress,
) -> Export:
    """Wait up to `wait` seconds for the end of an export that is being taken.

    Temporary failures are waited out. Raises CaptureInterrupted, CaptureUnseen,
    SourceError where the export is gone, and lasting `HttpError`s (401, 403, 404).
    """

    def this(known: Sequence[Export]) -> Export | None:
        return named(known, export.key)

    return _awaited(api, database, this, wait, progress)


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
    except (KeyboardInterrupt, Interrupted) as stop:
        code = getattr(stop, "code", 130)
        raise CaptureInterrupted("Render", "", code=code) from None
    except HttpError as error:
        if not error.passing or error.unsent:
            raise
        return error.what
    return ""


def _awaited(
    api: RenderApi,
    database: RenderPostgres,
    pick: Pick,
    wait: float,
    progress: Progress,
) -> Export:
    """Wait until the picked export is finished."""
    begun, trouble, found = api.clock(), "", None
    try:
        while True:
            pause = pause_after(api.clock() - begun, _LONGEST_PAUSE)
            try:
                found = pick(exports(api, database, patience=0))
                trouble = ""
            except HttpError as error:
                if not error.passing:
                    raise
                if not trouble:
                    api.notice(f"{error.what} Waiting on for the export.")
                trouble = error.what
                pause = max(pause, error.retry_after or 0.0)
            if found and found.url:
                return found
            progress(0, None)
            remaining = begun + wait - api.clock()
            if remaining <= 0:
                raise CaptureUnseen("Render", found.id if found else "", wait, trouble)
            api.sleep(min(pause, remaining))
    except (KeyboardInterrupt, Interrupted) as stop:
        code = getattr(stop, "code", 130)
        known = found.id if found else ""
        raise CaptureInterrupted("Render", known, code=code) from None


def _never_appeared(database: RenderPostgres, lost: str) -> SourceError:
    return SourceError(
        f"An export of {database.name} was asked for, but the answer got lost"
        f" ({lost.rstrip('.')}) and no new export has appeared.",
        f"Look with `{command('backups')}` whether one appears; if not, run it again.",
    )
