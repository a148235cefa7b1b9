"""Errors about the stand-in for Heroku: no start, no answer."""

from __future__ import annotations

from dbpull.errors import PullError


class StandInNotStarted(PullError):
    """The stand-in's process ended before it answered."""

    def __init__(self, why: str, remedy: str = "") -> None:
        super().__init__(f"The stand-in for Heroku did not start: {why}", remedy)


class StandInSilent(PullError):
    """Nothing, or another program, answers at the stand-in's address."""

    def __init__(self, api: str, why: str) -> None:
        super().__init__(
            f"The stand-in for Heroku at {api} does not answer ({why}).",
            "Start it again.",
        )
