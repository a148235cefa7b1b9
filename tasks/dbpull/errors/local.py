"""Errors about this machine: its disk, its folders."""

from __future__ import annotations

from dbpull.errors import PullError


class NotIgnored(PullError):
    """Git may take a file that holds secrets."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"git does not ignore {name}, which may hold passwords and tokens.",
            f"Add the line {name} to .gitignore; where git has the file already, also"
            f" `git rm --cached {name}`.",
        )


class LocalTrouble(PullError):
    """A file or folder of ours could not be used."""

    midway = True

    def __init__(self, error: OSError) -> None:
        place = f" ({error.filename})" if error.filename else ""
        super().__init__(
            f"This machine refused: {error.strerror or error}{place}.",
            "Correct that, then run the same command again.",
        )
