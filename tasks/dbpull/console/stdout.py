"""The output for scripts, on stdout."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from dbpull.console.log import TURN


def is_drawn() -> bool:
    """Whether stdout is a terminal; stdout may also be closed (`>&-`)."""
    return sys.stdout is not None and sys.stdout.isatty()


def rows(header: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """Print a table on stdout: drawn on a terminal, else tab-separated."""
    if not is_drawn():
        for line in lines:
            out("\t".join(line))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for line in lines:
        table.add_row(*line)
    Console(highlight=False, markup=False, emoji=False).print(table)


def out(text: str) -> None:
    """Print one line on stdout, for scripts."""
    if sys.stdout is None:
        return
    with TURN:
        _write(text + "\n")


def _write(text: str) -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # whatever the locale
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (`| head`); Python's flush at exit must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
