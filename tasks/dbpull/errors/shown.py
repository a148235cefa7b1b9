"""An error as it is printed: `Error: …`, its first word red on a terminal."""

from __future__ import annotations

import os
import sys

LABEL = "Error:"
RED, PLAIN = "\x1b[1;31m", "\x1b[0m"


def shown(text: str) -> str:
    """The error's text under its label, for stderr; NO_COLOR and TERM=dumb are kept."""
    label = f"{RED}{LABEL}{PLAIN}" if _has_colours() else LABEL
    return f"{label} {text}"


def _has_colours() -> bool:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in {"dumb", "unknown"}
    return not plain and sys.stderr is not None and sys.stderr.isatty()
