"""Scripts in a Python of their own, on a terminal and off it."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def off_a_terminal(script: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environ,
    )


def on_a_terminal(script: str, columns: int = 100, folder: Path | None = None) -> str:
    """What a terminal gets; stdout and stderr both go there."""
    ours, theirs = pty.openpty()
    size = {"COLUMNS": str(columns), "LINES": "30"}
    env = os.environ | {"TERM": "xterm-256color"} | size
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=theirs,
        stderr=theirs,
        env=env,
        cwd=folder,
    ) as process:
        os.close(theirs)
        shown = b""
        while chunk := _read(ours):
            shown += chunk
    os.close(ours)
    assert process.returncode == 0, shown.decode()
    return shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other end is closed
        return b""
