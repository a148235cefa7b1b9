"""Whether a dump on a host was cut short: its rows don't pass through here."""

from __future__ import annotations

from dbpull.archive import Archive
from dbpull.errors.archive import TruncatedDump
from dbpull.postgres import programs
from dbpull.restore.sections import numbers
from dbpull.shell.remote import Remote

# pg_backup_custom.c, _ReadBuf, _readBlockHeader and _PrintTocData
_CUT = ("end of file", "could not find block ID")


def refuse_cut(shell: Remote, path: str, contents: Archive) -> None:
    """Raise TruncatedDump where a dump ends before the last of its data.

    Only its end is looked at; all else of its rows pg_restore reads, on the host.
    """
    if contents.with_data and not _ends(shell, path, contents):
        where = "before the end of its data"
        size = int(shell.verb("at", path).out.split()[0])
        raise TruncatedDump(f"{shell.where}:{path}", size, where)


def _ends(shell: Remote, path: str, contents: Archive) -> bool:
    """Whether the end of its data is there.

    That is a length of zero (pg_backup_custom.c, _EndData). Where a file ends
    otherwise, more may follow: then pg_restore looks for the last block.
    """
    width = 1 + contents.integer_width
    _, end, _ = shell.exchange(["tail", "-c", str(width), path])
    if end == bytes(width):
        return True
    found = programs.find(shell, "pg_restore")
    if not found:
        return True  # nothing can be restored there, but the dump may be whole
    newest = max(found, key=lambda program: program.major).path
    argv = [newest, "--data-only", "-L", "/dev/stdin", "-f", "/dev/null", path]
    # pg_dump writes the blocks in the order of the table of contents.
    last = numbers(contents.with_data[-1:])
    told = shell.run(argv, env={"LC_ALL": "C"}, stdin=last)
    return not any(word in told.err for word in _CUT)
