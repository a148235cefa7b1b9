"""The restore of a dump that arrives on a host: definitions and rows, in order.

One pg_restore reads the dump while it arrives: several would need the whole file.
"""

from __future__ import annotations

from collections.abc import Callable

from dbpull.restore.sections import Restore

STREAMED = ("pre-data", "data")
"""The sections that can be restored before the whole dump has arrived."""


def define(into: Restore, part: str) -> None:
    """Restore definitions alone, from a dump whose first bytes have arrived.

    Raises RestoreFailed, and the errors of `on_defined`.
    """
    argv = [*into.common_argv(), "--section=pre-data", "-d", into.connection.argument]
    if entries := into.selection.of("pre-data"):
        into.run_program([*argv, part], entries, lambda _done, _total: None)
    into.done.add("pre-data")
    into.defined()


def stream_argv(into: Restore, listing: str) -> list[str]:
    """The command that restores definitions and rows from its stdin, in order."""
    sections = [f"--section={section}" for section in _wanted(into)]
    return [*into.common_argv(listing), *sections, "-d", into.connection.argument]


def stream(
    into: Restore,
    argv: list[str],
    check: Callable[[], None],
    arrives: Callable[[], bool],
) -> None:
    """Restore definitions and rows while the dump arrives; `Restore.run` does the rest.

    `argv` feeds the arriving dump to one pg_restore. Raises RestoreFailed, and the
    error of the arrival, which `check` raises.
    """
    entries = [e for section in _wanted(into) for e in into.selection.of(section)]

    def on_stderr(line: str) -> None:
        check()
        if not line.startswith("fed "):
            into.watch(line)

    into.still_arriving = arrives
    into.run_program(argv, entries, lambda _done, _total: None, on_stderr)
    into.done.update(STREAMED)


def _wanted(into: Restore) -> list[str]:
    return [section for section in STREAMED if section not in into.done]
