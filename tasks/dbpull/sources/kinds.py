"""The kinds of sources: which one the settings name, and what its platform adds."""

from __future__ import annotations

from dbpull.heroku.dump import PLATFORM
from dbpull.settings import Settings
from dbpull.sources import heroku_app
from dbpull.sources.heroku_app import name_of_dumps
from dbpull.sources.source import Source

__all__ = ["PLATFORM", "name_of_dumps", "source_of"]


def source_of(settings: Settings) -> Source:
    """The source that the settings name, without a request.

    Raises NoApp, SeveralApps, BadAppName.
    """
    return heroku_app.named(settings)
