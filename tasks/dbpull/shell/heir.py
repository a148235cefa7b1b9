"""A shell that ends the programs which we have left behind: we were killed.

Each line of its stdin, a pipe that ends with us, is the process group of a program:
`+7` has begun, `-7` has ended. The last to begin ends first: a pg_dump cancels its
query through a tunnel. A Python would take far longer to start, several times a run.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, cast

from dbpull.signals import SIGNALS

_SCRIPT = """
trap '' INT TERM HUP
groups=
while read -r line; do
  case $line in
    +*) groups="${line#+} $groups" ;;
    *)
      others=
      for group in $groups; do
        [ "-$group" = "$line" ] || others="$others $group"
      done
      groups=$others
      ;;
  esac
done
for group in $groups; do
  kill -TERM "-$group" || continue
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    kill -0 "-$group" || continue 2
    sleep 0.1
  done
  kill -KILL "-$group"
done
"""
"""Between SIGTERM, on which pg_dump cancels its query, and SIGKILL are 2 seconds."""
LEAVING = 5.0  # seconds for the shell to end itself


class Heir:
    """The shell: there as long as any program is to be inherited."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shell: subprocess.Popen[bytes] | None = None
        self._wanted = 0

    def want(self) -> None:
        """Have the shell: before a program is started, so that none is missed."""
        with SIGNALS.deferred(), self._lock:
            self._wanted += 1
            if self._shell is None:
                self._shell = _started()

    def tell(self, line: str) -> None:
        """Tell that a program has begun (`+7`) or ended (`-7`)."""
        with SIGNALS.deferred(), self._lock, suppress(OSError):  # it was killed
            if self._shell:
                pipe = cast(IO[bytes], self._shell.stdin)
                pipe.write(f"{line}\n".encode())
                pipe.flush()

    def leave(self) -> None:
        """Undo one `want`; the shell ends with the last."""
        with SIGNALS.deferred(), self._lock:
            self._wanted -= 1
            if self._shell and not self._wanted:
                with suppress(OSError, subprocess.TimeoutExpired):
                    self._shell.communicate(timeout=LEAVING)
                self._shell = None


def _started() -> subprocess.Popen[bytes]:
    """The shell, in a session of its own: what a terminal sends doesn't reach it."""
    return subprocess.Popen(
        ["sh", "-c", _SCRIPT],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


HEIR = Heir()


@contextmanager
def inherited(group: int) -> Iterator[None]:
    """Have a program end with this process, even by `kill -9`, while in the context."""
    HEIR.want()
    try:
        HEIR.tell(f"+{group}")
        yield
    finally:
        HEIR.tell(f"-{group}")
        HEIR.leave()
