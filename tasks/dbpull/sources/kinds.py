"""The kinds of sources: the source that the settings name, and its platform."""

from __future__ import annotations

from contextlib import suppress

from dbpull.errors.sources import NoSource
from dbpull.heroku.dump import PLATFORM
from dbpull.settings import Settings
from dbpull.sources import heroku_app
from dbpull.sources.source import Source

__all__ = ["PLATFORM", "name_of_dumps", "source_of"]


def source_of(settings: Settings) -> Source:
    """The source that the settings name, without a request; raises NoSource."""
    return heroku_app.named(settings)


def name_of_dumps(settings: Settings) -> str | None:
    """The source whose dumps the settings mean; None for the dumps of all sources."""
    if other := heroku_app.other_app(settings.database):
        return other
    with suppress(NoSource):
        return source_of(settings).name_of_dumps
    return None
