"""A standby: a process that acts when the main process ends, even by `kill -9`.

The main process writes lines to the standby's stdin, a pipe. The pipe ends with the
main process, however that ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, cast

from dbpull.signals import SIGNALS

SOURCE_ROOT = Path(__file__).resolve().parents[1]


def start(
    module: str,
    *arguments: str,
    roots: Sequence[Path] = (SOURCE_ROOT,),
    **options: Any,
) -> subprocess.Popen[bytes]:
    """Start a Python module, found in `roots`, with a pipe to its stdin.

    The process has a session of its own: Ctrl-C and a closed terminal don't reach it.
    `options` go to Popen.
    """
    paths = [*map(str, roots), *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        stdin=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
        **options,
    )


class Standby:
    """The main process's end of the pipe to a standby."""

    def __init__(self, module: str, *arguments: str, **options: Any) -> None:
        self._process = start(module, *arguments, stdout=subprocess.DEVNULL, **options)
        self._pipe = cast(IO[bytes], self._process.stdin)

    def tell(self, line: str) -> None:
        """Send the standby a line; do nothing where the standby was killed."""
        with SIGNALS.deferred(), suppress(OSError):
            self._pipe.write(f"{line}\n".encode())
            self._pipe.flush()

    def leave(self, patience: float | None = None) -> None:
        """Close the pipe; wait for the standby's end, at most `patience` seconds."""
        with SIGNALS.deferred():
            with suppress(OSError):
                self._pipe.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)


def lines() -> Iterator[str]:
    """The lines for this standby, until the main process has ended."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    yield from sys.stdin
