"""The user's view of a run: lines, progress bars, tables; on stderr, through rich.

stdout is for scripts. Without a terminal, stderr gets plain lines only. Where a run has
several hosts, HostsDisplay shows their lines and their table on one screen.
"""

from dbpull.console.hosts_display import HOSTS_DISPLAY, HostsDisplay
from dbpull.console.reporter import Reporter
from dbpull.console.safe_stderr import outlive_stderr
from dbpull.console.stdout import is_drawn, out, rows
from dbpull.console.step import Step

__all__ = [
    "HOSTS_DISPLAY",
    "HostsDisplay",
    "Reporter",
    "Step",
    "is_drawn",
    "out",
    "outlive_stderr",
    "rows",
]
