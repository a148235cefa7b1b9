"""The databases beside the target, in words: what was kept, what was dropped."""

from __future__ import annotations

from collections.abc import Sequence

from dbpull.console import Reporter
from dbpull.errors import PullError
from dbpull.errors.target import CannotDrop, NotOwner
from dbpull.target.family import Becomes, Family, Member, Move, look
from dbpull.target.leftovers import drop_member
from dbpull.target.opened import Target
from dbpull.target.provenance import Provenance
from dbpull.words import age, ago, size


def tell_what_comes(target: Target, comes: str, reporter: Reporter) -> None:
    """The first line of a run: what the target holds, and what it will hold."""
    label, state = target.connection.label, target.state
    if not state.exists:
        held = "does not exist yet"
    else:
        held = f"holds {_rows(Provenance.from_comment(state.comment))}"
    reporter.say(f"{label} [{target.origin}] {held}; it will hold {comes}.")


def settle(target: Target, moves: Sequence[Move], reporter: Reporter) -> None:
    """After a swap: tell of an original that is kept, drop what is not.

    What can't be dropped now is told, with what to do.
    """
    kept = [move for move in moves if move.becomes is Becomes.ORIGINAL]
    family = look(target.psql, target.state) if kept else None
    for move in moves:
        if family and move.becomes is Becomes.ORIGINAL:
            _tell_original(target, family, move, reporter)
        elif move.becomes is Becomes.DISCARDED:
            _drop(target, move.member, move.new, reporter)


def tell_forward(target: Target, moves: Sequence[Move], reporter: Reporter) -> None:
    """After the way back: how what was the target until now comes again."""
    last = look(target.psql, target.state).last_replaced
    until_now = [one.new for one in moves if one.member.dbname == target.names.target]
    if last and last.dbname in until_now:
        undo = target.shell.command_for("db.undo")
        reporter.say(f"`{undo}` again swaps forward.")


def tell_beside(target: Target, reporter: Reporter) -> None:
    """List what is kept beside the target, and how it is brought back."""
    family = look(target.psql, target.state)
    previous = [family.previous] if family.previous else []
    for one in [*previous, *family.originals_in_turn]:
        way = _way_back(target, family, one.dbname)
        reporter.say(f"{one.dbname} holds {_told(one)}: {way}.")


def drop_originals(target: Target, reporter: Reporter) -> None:
    """Drop the databases that dbpull had not filled, each that can be dropped.

    Raises NotOwner, CannotDrop of the last that can't.
    """
    family = look(target.psql, target.state)
    stuck: PullError | None = None
    for one in family.originals:
        try:
            _drop_original(target, one)
        except (NotOwner, CannotDrop) as error:
            if stuck:
                reporter.note(f"{stuck.what} {stuck.remedy}")
            stuck = error
        else:
            reporter.say(f"Dropped {one.dbname} ({_told(one)}).")
    if stuck:
        raise stuck
    if not family.originals:
        reporter.say(f"There is no original database of {target.connection.label}.")


def _drop_original(target: Target, one: Member) -> None:
    if not (one.owned or target.state.superuser):
        raise NotOwner(target.state.user, one.owner, one.dbname)
    try:
        drop_member(target.psql, target.state, one, one.dbname)
    except CannotDrop as error:
        raise error.dropped_by("`invoke db.cleanup --original`") from error


def _tell_original(
    target: Target, family: Family, move: Move, reporter: Reporter
) -> None:
    cleanup = target.shell.command_for("db.cleanup")
    place = _place(target, move.member)
    reporter.note(
        f"{place[0].upper()}{place[1:]}, which dbpull had not filled, is kept as"
        f" {move.new}: {_way_back(target, family, move.new)}, `{cleanup} --original`"
        " drops it."
    )


def _way_back(target: Target, family: Family, dbname: str) -> str:
    """The command that brings a kept database back."""
    undo = target.shell.command_for("db.undo")
    turns = [one.dbname for one in family.originals_in_turn]
    if dbname not in turns:
        return f"`{undo}` brings it back"
    often = turns.index(dbname) + 1
    return (
        f"`{undo} --original`{f', {often} times,' if often > 1 else ''} brings it back"
    )


def _drop(target: Target, member: Member, dbname: str, reporter: Reporter) -> None:
    told = f"{_place(target, member)} ({_rows(member.provenance)})"
    try:
        drop_member(target.psql, target.state, member, dbname)
    except CannotDrop as error:
        reporter.note(f"{error.what} It was {told}. {error.remedy}")
    except PullError as error:
        reporter.note(f"{error.what} The next pull will try again.")
    else:
        reporter.note(f"Dropped {told}.")


def _place(target: Target, member: Member) -> str:
    """A database by what it was until now."""
    if member.dbname != target.names.target:
        return f"the database before that, {member.dbname}"
    return f"the old {target.names.target}"


def _told(member: Member) -> str:
    kept = member.kept
    since = f", replaced {ago(kept.replaced)}" if kept and kept.replaced else ""
    return f"{_rows(member.provenance)}, {size(member.size)}{since}"


def _rows(known: Provenance | None) -> str:
    if not known:
        return "what dbpull did not put there"
    beside = " beside tables of your own" if known.beside_own else ""
    aged = f", {age(known.taken)}" if known.taken else ""
    return f"{known.label}{aged}, pulled {ago(known.pulled)}{beside}"
