"""Where dbpull runs; told in one sentence elsewhere, before an import fails.

The installation asks as well (pyproject.toml), so that any Python 3 must read this.
"""

import platform
import sys

from dbpull import __version__

OLDEST = (3, 11)
"""The oldest Python; pyproject.toml and README.md name it, too."""


def refuse_elsewhere() -> None:
    """End the program on a system or a Python that dbpull can't run on."""
    why = refusal()
    if why:
        raise SystemExit(why)


def version() -> str:
    """The version to install; ends the installation where it would be of no use."""
    refuse_elsewhere()
    return __version__


def refusal() -> str:
    """Why dbpull can't run here, and what to do; "" where it can."""
    if sys.version_info < OLDEST:
        return (
            f"dbpull needs Python 3.11 or newer, and this is {_python()}: make the"
            " virtual environment with another, as by `python3.12 -m venv .venv`."
        )
    if sys.platform == "win32":
        return (
            "dbpull runs on Linux and macOS, not on Windows itself: install it in WSL 2"
            " (`wsl --install`), and work on the project there."
        )
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        return (
            "dbpull needs a Linux with glibc, not Alpine's musl: in a container, use an"
            " image such as python:3.12-slim."
        )
    return ""


def _python() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])
