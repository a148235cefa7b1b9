"""A process that stands by: it acts when this one ends, even by `kill -9`.

The pipe to its stdin ends with this process, however that ends. Before, it gets lines.
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

    In a session of its own: Ctrl-C and a closed terminal don't reach it. `options` go
    to Popen.
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
    """This process's end of the pipe to the one that stands by."""

    def __init__(self, module: str, *arguments: str, **options: Any) -> None:
        self._process = start(module, *arguments, stdout=subprocess.DEVNULL, **options)
        self._pipe = cast(IO[bytes], self._process.stdin)

    def tell(self, line: str) -> None:
        """Send it a line; do nothing where it was killed."""
        with SIGNALS.deferred(), suppress(OSError):
            self._pipe.write(f"{line}\n".encode())
            self._pipe.flush()

    def leave(self, patience: float | None = None) -> None:
        """Close the pipe; wait for its end, `patience` seconds at most."""
        with SIGNALS.deferred():
            with suppress(OSError):
                self._pipe.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)


def lines() -> Iterator[str]:
    """What the process that stands by is told, until the other has ended."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    yield from sys.stdin
