"""Messages about the databases beside the target: which are kept, which are dropped."""

from __future__ import annotations

from collections.abc import Sequence

from dbpull.console import Reporter
from dbpull.errors import PullError
from dbpull.errors.target import CannotDrop, NotOwner
from dbpull.naming import command
from dbpull.settings import Settings
from dbpull.target.family import Becomes, Family, Move
from dbpull.target.leftovers import drop_member
from dbpull.target.member import Member
from dbpull.target.opened import LockedTarget, Target
from dbpull.target.provenance import Provenance
from dbpull.words import age, ago, size


def tell_what_comes(target: Target, comes: str, reporter: Reporter) -> None:
    """Tell, at the start of a run, which database is replaced by which dump."""
    label, state = target.connection.label, target.state
    then = "which is created"
    if state.exists:
        then = f"which holds {rows_of(Provenance.from_comment(state.comment))}"
    reporter.say(f"{comes} → {label} ({target.origin}), {then}.")


def settle(held: LockedTarget, moves: Sequence[Move], reporter: Reporter) -> None:
    """After a swap, tell of the originals kept, and drop the discarded databases.

    A database that can't be dropped is noted, with the remedy.
    """
    target = held.target
    kept = any(move.becomes is Becomes.ORIGINAL for move in moves)
    family = held.look() if kept else None
    for move in moves:
        if family and move.becomes is Becomes.ORIGINAL:
            _tell_original(target, family, move, reporter)
        elif move.becomes is Becomes.DISCARDED:
            _drop(target, move.member, move.new, reporter)


def tell_unmasked(moves: Sequence[Move], reporter: Reporter) -> None:
    """After a masked pull, note that the previous database is not masked."""
    for move in moves:
        known = move.member.provenance
        if move.becomes is Becomes.PREVIOUS and known and not known.masked:
            reporter.note(
                f"{move.new} is not masked: `{command('undo')}` brings it back until"
                f" the next pull, `{command('cleanup')} --previous` drops it."
            )


def tell_not_masked(
    provenance: Provenance | None,
    settings: Settings,
    moves: Sequence[Move],
    reporter: Reporter,
) -> None:
    """Note that the rows that are back are not masked, where masks are usual."""
    known = (move.member.provenance for move in moves)
    usual = bool(settings.mask) or any(one and one.masked for one in known)
    if usual and provenance and not provenance.masked:
        reporter.note("It is not masked: it was pulled without masks.")


def tell_forward(family: Family, moves: Sequence[Move], reporter: Reporter) -> None:
    """After an undo, tell the command that brings the replaced target back."""
    last, target = family.last_replaced, family.names.target
    replaced = [move.new for move in moves if move.member.dbname == target]
    if last and last.dbname in replaced:
        reporter.say(f"`{command('undo')}` again swaps forward.")


def tell_beside(target: Target, reporter: Reporter) -> None:
    """List the databases kept beside the target, and the commands that undo."""
    family = target.state.family
    previous = [family.previous] if family.previous else []
    for member in [*previous, *family.originals_in_turn]:
        way = _way_back(target, family, member.dbname)
        reporter.say(f"{member.dbname} holds {_described(member)}: {way}.")


def drop_originals(target: Target, reporter: Reporter) -> None:
    """Drop the target's originals, as many as can be dropped.

    Raises NotOwner or CannotDrop for the last that can't be dropped; notes the others.
    """
    family = target.state.family
    failure: PullError | None = None
    for member in family.originals:
        try:
            _drop_kept(target, member, "--original")
        except (NotOwner, CannotDrop) as error:
            if failure:
                reporter.note(f"{failure.what} {failure.remedy}")
            failure = error
        else:
            reporter.say(f"Dropped {member.dbname} ({_described(member)}).")
    if failure:
        raise failure
    if not family.originals:
        reporter.say(f"There is no original database of {target.connection.label}.")


def drop_previous(target: Target, reporter: Reporter) -> None:
    """Drop the previous database, unless it may hold the user's own rows.

    Raises NotOwner, CannotDrop.
    """
    member = target.state.family.previous
    if not member:
        reporter.say(f"There is no previous database of {target.connection.label}.")
    elif member.own:
        reporter.note(
            f"{member.dbname} holds {rows_of(member.provenance)}: it stays."
            f" `{command('undo')}` brings it back."
        )
    else:
        _drop_kept(target, member, "--previous")
        reporter.say(f"Dropped {member.dbname} ({_described(member)}).")


def _drop_kept(target: Target, member: Member, flag: str) -> None:
    """Drop a kept database. Raises NotOwner, CannotDrop, which name the flag."""
    member.refuse_foreign(target.state.user)
    try:
        drop_member(target.psql, member, member.dbname)
    except CannotDrop as error:
        raise error.dropped_by(f"`{command('cleanup')} {flag}`") from error


def _tell_original(
    target: Target, family: Family, move: Move, reporter: Reporter
) -> None:
    former = _former(target, move.member)
    reporter.note(
        f"{former[0].upper()}{former[1:]}, which dbpull had not filled, is kept as"
        f" {move.new}: {_way_back(target, family, move.new)},"
        f" `{command('cleanup')} --original` drops it."
    )


def _way_back(target: Target, family: Family, dbname: str) -> str:
    """The command that brings a kept database back."""
    undo = command("undo")
    turns = [member.dbname for member in family.originals_in_turn]
    if dbname not in turns:
        return f"`{undo}` brings it back"
    turn = turns.index(dbname) + 1
    times = f", {turn} times," if turn > 1 else ""
    return f"`{undo} --original`{times} brings it back"


def _drop(target: Target, member: Member, dbname: str, reporter: Reporter) -> None:
    former = f"{_former(target, member)} ({rows_of(member.provenance)})"
    try:
        drop_member(target.psql, member, dbname)
    except CannotDrop as error:
        reporter.note(f"{error.what} It was {former}. {error.remedy}")
    except PullError as error:
        reporter.note(f"{error.what} The next pull will try again.")
    else:
        reporter.note(f"Dropped {former}.")


def _former(target: Target, member: Member) -> str:
    """A database by its role before the swap."""
    if member.dbname != target.names.target:
        return f"the database before that, {member.dbname}"
    return f"the old {target.names.target}"


def _described(member: Member) -> str:
    """A kept database by its rows, size, and the age of its replacement."""
    kept = member.kept
    since = f", replaced {ago(kept.replaced)}" if kept and kept.replaced else ""
    return f"{rows_of(member.provenance)}, {size(member.size)}{since}"


def rows_of(provenance: Provenance | None) -> str:
    """Where a database's rows came from."""
    if not provenance:
        return "rows that dbpull did not pull"
    beside = " beside your own tables" if provenance.beside_own else ""
    masked = ", masked" if provenance.masked else ""
    aged = f", {age(provenance.taken)}" if provenance.taken else ""
    return f"{provenance.label}{aged}, pulled {ago(provenance.pulled)}{beside}{masked}"
