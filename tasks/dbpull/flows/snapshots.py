"""The flows of `db.snapshot`, `db.snapshots` and `db.reset`: copies of the target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from dbpull import console
from dbpull.console import Reporter
from dbpull.errors import PullError
from dbpull.errors.hosts import ConnectionLost
from dbpull.errors.target import CannotDrop, TargetError
from dbpull.flows import backups, kept
from dbpull.flows.run import UNTOUCHED, reporting
from dbpull.naming import command
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.signals import SIGNALS
from dbpull.target import disk, opened
from dbpull.target.aside import Aside
from dbpull.target.copies import Copy
from dbpull.target.family import Move
from dbpull.target.leftovers import drop_member
from dbpull.target.opened import LockedTarget, Target
from dbpull.target.provenance import ResetMark, SnapshotMark, plain
from dbpull.target.snapshots import (
    Snapshot,
    chosen,
    refuse_name,
    refuse_taken,
    snapshots,
)
from dbpull.target.swap import Swap
from dbpull.words import age, ago, listed, size

HEADER = ("snapshot", "age", "size", "holds")
PLAIN_HEADER = ("snapshot", "taken", "bytes", "holds")
"""The columns for scripts."""


def snapshot(settings: Settings, shell: Shell, name: str) -> None:
    """Keep the target as it is under a name."""
    with reporting(UNTOUCHED, shell) as reporter:
        refuse_name(name)
        target = opened.take_to_rename(settings, shell, reporter, copy=True)
        with opened.held(target, reporter) as held:
            target = held.target
            label, family = target.connection.label, target.state.family
            if not family.target:
                raise TargetError(
                    f"There is no database {label} to be kept.",
                    f"`{command('pull')}` makes it.",
                )
            family.target.refuse_foreign(target.state.user)
            refuse_taken(family, name, label)
            refuse_full_disk(target, target.state.size)
            take(held, name, reporter)
        back = f"`{command('reset')} --to={name}` brings it back."
        reporter.say(f"{label} is kept as the snapshot {name}: {back}", "bold")


def take(
    held: LockedTarget, name: str, reporter: Reporter, *, settings: str = ""
) -> None:
    """Copy the target; `settings`: what decided on a pull's rows.

    Raises HeldOpen, StillConnected, SqlFailed, CannotConnect.
    """
    psql, names = held.target.psql, held.target.names
    family = held.look()
    comment = plain(family.target.comment if family.target else None)
    mark = SnapshotMark(names.target, name, comment, datetime.now(UTC), settings)
    copy = Copy(psql, names.target, names.snapshot(name))
    with (
        reporter.step("snapshot", f"Copying {held.target.connection.label}") as step,
        _discarded_on_failure(copy, reporter),
    ):
        _, missed = copy.make(comment=mark.to_comment(), closed=True)
        step.sentence = f"Copied {held.target.connection.label}"
    _tell_missed(held.target, missed, reporter)


def drop(settings: Settings, shell: Shell, name: str) -> None:
    """Drop a snapshot. Raises TargetError where there is none, CannotDrop."""
    with reporting("", shell) as reporter:
        target = opened.take(settings, shell, reporter)
        with opened.held(target, reporter) as held:
            found = chosen(held.look(), name, target.connection.label)
            if found.original:
                raise TargetError(
                    f"{name} is no copy: it is the database from before a pull.",
                    f"`{command('cleanup')} --original` drops it, and other originals.",
                )
            drop_snapshot(held.target, found)
        reporter.say(f"Dropped the snapshot {name} ({_described(found)}).")


def drop_snapshot(target: Target, found: Snapshot) -> None:
    """Drop a snapshot's database. Raises NotOwner, CannotDrop."""
    found.member.refuse_foreign(target.state.user)
    try:
        drop_member(target.psql, found.member, found.member.dbname)
    except CannotDrop as error:
        by = f"`{command('snapshot')} {found.name} --drop`"
        raise error.dropped_by(by) from error


def tell(
    settings: Settings, shell: Shell, *, quiet: bool = False, json: bool = False
) -> None:
    """List the snapshots and originals on stdout; on a host, after the host's name."""
    with reporting("", shell, output=console.Output(quiet, json)) as reporter:
        target = opened.take(settings, shell, reporter)
        found = snapshots(target.state.family)
        if json:
            reporter.facts["target"] = target.connection.label
            reporter.facts["snapshots"] = [_facts(each) for each in found]
        elif found:
            column, host = (["host"], [shell.host]) if shell.host else ([], [])
            header = HEADER if console.is_drawn() else PLAIN_HEADER
            rows = [[*host, *_row(each)] for each in found]
            console.rows([*column, *header], rows)
        else:
            what = f"{target.connection.label} has no snapshots"
            reporter.say(f"{what}; `{command('snapshot')} NAME` takes one.")


def _facts(found: Snapshot) -> dict[str, object]:
    """A snapshot in the document of `--json`."""
    rows = backups.holds(found.member.provenance)
    fields = {"name": found.name, "taken": found.taken, "bytes": found.member.size}
    return {**fields, "original": found.original, "holds": rows}


def _row(found: Snapshot) -> list[str]:
    taken, count = found.taken, found.member.size
    holds = kept.rows_of(found.member.provenance)
    if console.is_drawn():
        return [found.name, age(taken), size(count), holds]
    plain = [taken.isoformat() if taken else "-", str(count or "-")]
    return [found.name, *plain, holds]


def reset(settings: Settings, shell: Shell, name: str | None) -> None:
    """Replace the target by a copy of a snapshot, or of the latest."""
    with reporting(UNTOUCHED, shell) as reporter:
        target = opened.take_to_rename(settings, shell, reporter, copy=True)
        label = target.connection.label
        found = chosen(target.state.family, name, label)
        what = f"The snapshot {found.name} ({_described(found)})"
        kept.tell_what_comes(target, what, reporter)
        with opened.held(target, reporter) as held:
            found = chosen(held.look(), found.name, label)
            bring_back(held, found, settings, reporter)


def bring_back(
    held: LockedTarget, found: Snapshot, settings: Settings, reporter: Reporter
) -> None:
    """Copy a snapshot, swap the copy in, and tell so.

    Raises HeldOpen, StillConnected, LockLost, SqlFailed, CannotConnect, TargetError.
    """
    target, member = held.target, found.member
    member.refuse_foreign(target.state.user)
    refuse_full_disk(target, member.size)
    copy = Copy(target.psql, member.dbname, target.names.aside)
    with _discarded_on_failure(copy, reporter):
        with reporter.step("copy", f"Copying {found.name}") as step:
            oid, missed = copy.make(closed=False)
            step.sentence = f"Copied {found.name}"
        _tell_missed(target, missed, reporter)
        moves = _swap(held, found, oid, reporter, keep=settings.undo)
    label = target.connection.label
    reporter.say(f"{label} is now the snapshot {found.name}.", "bold")
    kept.tell_not_masked(found.member.provenance, settings, moves, reporter)
    if settings.undo and any(
        move.member.dbname == target.names.target for move in moves
    ):
        reporter.say(f"`{command('undo')}` brings the old one back.")


def _swap(
    held: LockedTarget, found: Snapshot, oid: str, reporter: Reporter, *, keep: bool
) -> list[Move]:
    target, now = held.target, datetime.now(UTC)
    comment = plain(found.member.comment)
    mark = ResetMark(found.name, found.member.oid, comment, now)
    swap = Swap(target.psql, target.state, held.lock.query)
    with reporter.step("swap", "Swapping") as step, SIGNALS.deferred():
        moves = swap.to_new(oid, comment=mark.to_comment(), keep_previous=keep)
        reporter.on_failure("The snapshot is in place already.")
        step.sentence = f"Swapped: {target.connection.label} is the copy"
        kept.settle(held, moves, reporter)
        if (provenance := found.member.provenance) and provenance.masked:
            kept.tell_unmasked(moves, reporter)
    return moves


@contextmanager
def _discarded_on_failure(copy: Copy, reporter: Reporter) -> Iterator[None]:
    """Drop the copy where it does not get finished, or not swapped in."""
    try:
        with Aside(copy.psql).on_disconnect():
            yield
    except BaseException as error:
        if not isinstance(error, ConnectionLost):  # the host drops it by itself
            _discard(copy, reporter)
        raise


def _discard(copy: Copy, reporter: Reporter) -> None:
    try:
        with SIGNALS.deferred():
            copy.discard()
    except PullError:
        reporter.note(
            f"{copy.new} could not be dropped: the next pull, or"
            f" `{command('cleanup')}`, will do it."
        )


def refuse_full_disk(target: Target, needed: int | None) -> None:
    """Raise TargetError where a copy needs more than the disk has."""
    free = disk.free(target)
    if needed and free is not None and free < needed:
        raise TargetError(
            f"The copy needs up to {size(needed)}, and the disk of"
            f" {target.connection.label} has {size(free)} left.",
            f"Free some space: `{command('snapshots')}` lists what can be dropped.",
        )


def _tell_missed(target: Target, missed: list[str], reporter: Reporter) -> None:
    if missed:
        user, names = target.state.user, listed(missed)
        reporter.note(f"{user} may not set {names} there: not copied.")


def _described(found: Snapshot) -> str:
    """A snapshot by its rows, size and age."""
    since = f", from {ago(found.taken)}" if found.taken else ""
    return f"{kept.rows_of(found.member.provenance)}, {size(found.member.size)}{since}"
