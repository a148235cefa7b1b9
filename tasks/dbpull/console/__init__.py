"""The user's view of a run: lines, progress bars, tables; on stderr, through rich.

stdout is for scripts. Without a terminal, stderr gets plain lines only. Where a run has
several hosts, HostsDisplay shows their lines and their table on one screen.

A line goes from `Reporter.say` to a Screen (`screen.py` chooses): `terminal.py`,
`shared_terminal.py` or `log.py`.
"""

from dbpull.console.document import USUAL, Output, Trouble, document
from dbpull.console.findings import Mark, finding
from dbpull.console.reporter import Reporter
from dbpull.console.screen import HOSTS_DISPLAY, HostsDisplay
from dbpull.console.step import Step
from dbpull.console.streams import is_drawn, is_watched, out, outlive_stderr, rows

__all__ = [
    "HOSTS_DISPLAY",
    "USUAL",
    "HostsDisplay",
    "Mark",
    "Output",
    "Reporter",
    "Step",
    "Trouble",
    "document",
    "finding",
    "is_drawn",
    "is_watched",
    "out",
    "outlive_stderr",
    "rows",
]
