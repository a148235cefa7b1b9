"""A reporter that prints nothing."""

from __future__ import annotations

from dbpull import console


class Heard(console.Reporter):
    """Keeps what is said instead of printing it."""

    def __init__(self) -> None:
        self.host = ""
        self.notes: list[str] = []

    def say(self, text: str, style: str = "") -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)
