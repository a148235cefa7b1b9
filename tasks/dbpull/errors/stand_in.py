"""Errors about the stand-in for Heroku: no start, no answer."""

from __future__ import annotations

from dbpull.errors import PullError


class StandInNotStarted(PullError):
    """Its process ended before it answered."""

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(f"The stand-in for Heroku did not start: {why}", remedy)


class StandInSilent(PullError):
    """Nothing, or something else, answers where it should be."""

    def __init__(self, api: str, why: str) -> None:
        super().__init__(
            f"The stand-in for Heroku at {api} does not answer ({why}).",
            "Start it again.",
        )
