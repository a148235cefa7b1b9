"""Whether a dump on a host was cut short: its rows don't pass through here."""

from __future__ import annotations

from dbpull.archive import Archive, ends_whole
from dbpull.errors.archive import TruncatedDump
from dbpull.hosts.host import Host
from dbpull.postgres import programs
from dbpull.restore.sections import numbers

TAIL = 64 * 1024
"""Bytes of a dump's end that are looked at here."""
# pg_backup_custom.c, _ReadBuf, _readBlockHeader and _PrintTocData
_CUT = ("end of file", "could not find block ID")


def refuse_cut(shell: Host, path: str, contents: Archive) -> None:
    """Raise TruncatedDump where a dump ends before the last of its data.

    Only its end is looked at; all else of its rows pg_restore reads, on the host.
    """
    if contents.with_data and not _ends(shell, path, contents):
        where = "before the end of its data"
        size = int(shell.verb("at", path).out.split()[0])
        raise TruncatedDump(f"{shell.where}:{path}", size, where)


def _ends(shell: Host, path: str, contents: Archive) -> bool:
    """Whether the last block of its data is there, to its end.

    Where the file's last bytes don't tell, since that block is long or more follows,
    pg_restore looks for it: a file may end between two blocks.
    """
    _, tail, _ = shell.exchange(["tail", "-c", str(TAIL), path])
    if ends_whole(tail, contents):
        return True
    found = programs.find(shell, "pg_restore")
    if not found:
        return True  # nothing can be restored there, but the dump may be whole
    newest = max(found, key=lambda program: program.major).path
    argv = [newest, "--data-only", "-L", "/dev/stdin", "-f", "/dev/null", path]
    last = numbers(contents.with_data[-1:])
    told = shell.run(argv, env={"LC_ALL": "C"}, stdin=last)
    return not any(word in told.err for word in _CUT)
