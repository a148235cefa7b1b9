"""What a user sees: lines, progress, tables; on stderr, through rich.

stdout is for what scripts read. Off a terminal there are plain lines only. Where
several hosts are worked on at once, the board keeps their lines and tables apart.
"""

from dbpull.console.board import BOARD, Board
from dbpull.console.lasting import outlive_stderr
from dbpull.console.stdout import is_drawn, out, rows
from dbpull.console.step import Step
from dbpull.console.teller import Teller

__all__ = [
    "BOARD",
    "Board",
    "Step",
    "Teller",
    "is_drawn",
    "out",
    "outlive_stderr",
    "rows",
]
