"""The protocols of an arriving file, downloaded or printed, and of what is printed."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from dbpull.download.chunks import Progress
from dbpull.errors import Interrupted
from dbpull.errors.download import DownloadFailed, ObjectChanged


class ArrivingFile(Protocol):
    """A file that can be read while it arrives; a context manager that ends it.

    Every method raises the error that ended the arrival.
    """

    progress: Progress
    """Called with the bytes so far, and with all bytes if known."""

    @property
    def size(self) -> int | None:
        """The file's bytes; None until they are known."""

    @property
    def host(self) -> str:
        """Where the file comes from, for messages."""

    def reader(self) -> io.BufferedReader:
        """Open the arriving file: reading waits for bytes, seeking is free.

        Where the file starts anew with other bytes, a reader of the old bytes raises
        ObjectChanged.
        """

    def finish(self, verify: Callable[[BinaryIO], object]) -> Path:
        """Verify the file, give it its final name, and return its path.

        `verify` gets a reader at once, and must raise where the bytes are no whole
        dump.
        """

    def close(self, *, keep: bool = True) -> None:
        """Stop the arrival; `keep` what has arrived, or remove it."""


@dataclass(frozen=True)
class Scratch:
    """The room for what a program has got of a dump, and does not print yet."""

    folder: Path
    """A folder beside the dump, still to be made."""
    grown: Callable[[int], object]
    """Called with the bytes in the folder, while there are more and more."""


class PrintedDump(Protocol):
    """A dump that a running program prints on its stdout."""

    def read(self, count: int) -> bytes:
        """Up to `count` bytes, as soon as there are any; b"" at the output's end."""

    def finish(self) -> None:
        """Wait for the program's end, after the output's end.

        Raises SourceInterrupted where the program may succeed at once if started anew,
        and PullError for any other failure.
        """

    def end(self) -> None:
        """End the program, from any thread."""


# Errors that end a verification, but do not mean that the file is damaged.
_NOT_ITS_FAULT = (Interrupted, DownloadFailed, OSError, MemoryError)


def verify_arriving(
    file: ArrivingFile,
    verify: Callable[[BinaryIO], object],
    ended_by: Callable[[], BaseException | None],
) -> None:
    """Call `verify` with a reader, anew where the file starts anew.

    A file that `verify` refuses is removed, unless the error is that of the arrival
    (`ended_by`), or this machine is to blame.
    """
    while True:
        try:
            with file.reader() as arriving:
                verify(arriving)
        except ObjectChanged:
            if ended_by() is not None:
                raise
        except _NOT_ITS_FAULT:
            raise
        except Exception as error:
            if error is not ended_by():
                file.close(keep=False)
            raise
        else:
            return
