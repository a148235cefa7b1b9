"""The screen of a quiet run (`--quiet`), on which nothing is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dbpull.console.results import Results
from dbpull.console.step import Step


class QuietScreen:
    """Shows nothing; errors are printed by Invoke."""

    width = 80

    def say(self, text: str, style: str = "") -> None:
        """Do nothing."""

    def done(self, text: str, host: str) -> None:
        """Do nothing."""

    def draw(self, pieces: Sequence[tuple[str, str]]) -> None:
        """Do nothing."""

    @contextmanager
    def shown(self, step: Step) -> Iterator[None]:
        """Show nothing of the step."""
        yield

    def tabulate(self, results: Results) -> None:
        """Do nothing."""

    @contextmanager
    def live(self) -> Iterator[None]:
        """Draw nothing."""
        yield
