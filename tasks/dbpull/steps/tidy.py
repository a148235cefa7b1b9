"""What is removed after a pull, and by `db.cleanup`."""

from __future__ import annotations

from contextlib import ExitStack

from dbpull import dumps
from dbpull.console import Teller
from dbpull.dumps import Dump, shown
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.steps import aim
from dbpull.steps.run import told
from dbpull.words import listed, size


def delete(dump: Dump, teller: Teller) -> None:
    """Remove a dump that has served."""
    freed = dump.size
    dump.path.unlink(missing_ok=True)
    teller.say(f"Removed {shown(dump.path)} ({size(freed)}).")


def keep_newest(settings: Settings, teller: Teller, pulled: Dump | None = None) -> int:
    """Remove dumps beyond the newest `keep` of each app, and cut-off parts.

    After a pull only those of its app; the dump that was pulled stays, however old.
    Returns how many files were removed.
    """
    app = pulled.app if pulled else None
    beyond = dumps.surplus(settings.path, settings.keep, app, pulled)
    removed = {dump.path.name: dump.size for dump in beyond}
    for dump in beyond:
        dump.path.unlink(missing_ok=True)
    for part in dumps.parts(settings.path, app):
        freed = dumps.on_disk(part)
        if dumps.remove_part(part):
            removed[part.name] = freed
    if removed:
        freed = sum(removed.values())
        teller.say(f"Removed {listed(list(removed))} ({size(freed)}).")
    return len(removed)


def cleanup(settings: Settings, shell: Shell) -> None:
    """Remove surplus dumps, cut-off parts, and databases that crashed runs left."""
    with told() as teller, ExitStack() as stack:
        if settings.target or aim.embedded_runs():
            at = aim.take(settings, shell, teller)
            # Clears as it begins; and no restore is reading a dump meanwhile.
            stack.enter_context(aim.held(at, teller))
        if not keep_newest(settings, teller):
            teller.say("No dump or part had to be removed.")
