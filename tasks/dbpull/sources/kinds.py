"""The kinds of sources: the source that the settings name, and its platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from dbpull.errors.sources import NoSource
from dbpull.heroku.dump import PLATFORM
from dbpull.settings import Settings
from dbpull.sources import heroku_app
from dbpull.sources.dumped import Stored
from dbpull.sources.named import NamedSource, named_source
from dbpull.sources.source import Source

__all__ = ["PLATFORM", "name_of_dumps", "source_of"]

Make = Callable[[NamedSource, Settings, Stored], Source]


def source_of(settings: Settings, stored: Stored) -> Source:
    """The source that the settings name, without a request; raises NoSource.

    `stored` lists the dumps here of a source that keeps no backups.
    """
    named = named_source(settings)
    if named is None:
        return heroku_app.named(settings)
    return _made(named, settings, stored)


def app_of(settings: Settings) -> heroku_app.HerokuApp:
    """The app whose database is to be replaced; raises NoSource."""
    named = named_source(settings)
    if named and named.kind != "heroku":
        raise NoSource(
            f"{named.label} ({named.origin}) is no Heroku app, and only an app's"
            " database can be replaced.",
            "Name the app: --app=NAME.",
        )
    return _app(named, settings) if named else heroku_app.named(settings)


def name_of_dumps(settings: Settings) -> str | None:
    """The source whose dumps the settings mean; None for the dumps of all sources."""
    with suppress(NoSource):
        if (named := named_source(settings)) and named.kind != "heroku":
            return named.name_of_dumps
    if other := heroku_app.other_app(settings.database):
        return other
    with suppress(NoSource):
        return source_of(settings, lambda _: []).name_of_dumps
    return None


def _made(named: NamedSource, settings: Settings, stored: Stored) -> Source:
    if named.kind not in _KINDS:
        raise NoSource(f"{named.label} is no source that dbpull knows.", "")
    return _KINDS[named.kind](named, settings, stored)


def _app(named: NamedSource, settings: Settings) -> heroku_app.HerokuApp:
    app = named.text.removeprefix("heroku:")
    found = heroku_app.named(settings, app, named.origin)
    if not named.alias:
        return found
    return replace(found, app=replace(found.app, alias=named.alias))


# Each kind is imported where it is made: a run has one, and paramiko takes its time.


def _render(named: NamedSource, settings: Settings, stored: Stored) -> Source:
    from dbpull.sources.render_database import RenderLive, RenderSource

    if not named.live:
        return RenderSource(named)
    return RenderLive(named, lambda at: _made(at, settings, stored), stored)


def _ssh(named: NamedSource, settings: Settings, stored: Stored) -> Source:
    from dbpull.sources.ssh_database import ssh_source

    return ssh_source(named, settings, stored)


def _printed(named: NamedSource, settings: Settings, stored: Stored) -> Source:
    from dbpull.sources.printed_source import PrintedSource

    return PrintedSource(named, lambda printed: _made(printed, settings, stored))


def _live(named: NamedSource, settings: Settings, stored: Stored) -> Source:
    from dbpull.sources.live_database import LiveDatabase

    here = settings.local or settings  # where pg_dump runs
    connections = min(here.jobs, here.connections)
    return LiveDatabase(named, tuple(settings.skip_data), stored, connections)


def _command(named: NamedSource, _: Settings, stored: Stored) -> Source:
    from dbpull.sources.command_output import CommandOutput

    return CommandOutput(named, stored)


def _file(named: NamedSource, *_: object) -> Source:
    from dbpull.sources.dump_file import DumpFile

    return DumpFile(named)


def _url(named: NamedSource, *_: object) -> Source:
    from dbpull.sources.dump_url import DumpUrl

    return DumpUrl(named)


_KINDS: Mapping[str, Make] = {
    "file": _file,
    "heroku": lambda named, settings, _: _app(named, settings),
    "live": _live,
    "render": _render,
    "ssh": _ssh,
    "command": _command,
    "printed": _printed,
    "url": _url,
}
"""How a source of each kind is made."""
