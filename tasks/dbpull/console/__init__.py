"""What a user sees: lines, progress, tables; on stderr, through rich.

stdout is for what scripts read. Off a terminal there are plain lines only. Where
several hosts are worked on at once, the board keeps their lines and tables apart.
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
