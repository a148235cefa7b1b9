"""The kinds of sources, and the platform whose additions to a dump are known."""

from __future__ import annotations

from dbpull.heroku.dump import PLATFORM

__all__ = ["PLATFORM"]
