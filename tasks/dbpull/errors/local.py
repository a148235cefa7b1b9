"""Errors about this machine: its disk, its folders."""

from __future__ import annotations

from dbpull.errors import PullError


class LocalTrouble(PullError):
    """A file or folder of ours could not be used."""

    midway = True

    def __init__(self, error: OSError) -> None:
        place = f" ({error.filename})" if error.filename else ""
        super().__init__(
            f"This machine refused: {error.strerror or error}{place}.",
            "Correct that, then run the same command again.",
        )
