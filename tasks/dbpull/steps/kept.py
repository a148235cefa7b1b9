"""The databases beside the target, in words: what was kept, what was dropped."""

from __future__ import annotations

from collections.abc import Sequence

from dbpull.console import Teller
from dbpull.errors import PullError
from dbpull.errors.target import CannotDrop, NotOwner
from dbpull.steps.aim import Aim
from dbpull.target.family import Becomes, Family, Member, Move, look
from dbpull.target.leftovers import drop_member
from dbpull.target.provenance import Provenance
from dbpull.words import age, ago, size


def tell_what_comes(aim: Aim, comes: str, teller: Teller) -> None:
    """The first line of a run: what the target holds, and what it will hold."""
    label, state = aim.connection.label, aim.state
    if not state.exists:
        held = "does not exist yet"
    else:
        held = f"holds {_rows(Provenance.from_comment(state.comment))}"
    teller.say(f"{label} [{aim.origin}] {held}; it will hold {comes}.")


def settle(aim: Aim, moves: Sequence[Move], teller: Teller) -> None:
    """After a swap: tell of an original that is kept, drop what is not.

    What can't be dropped now is told, with what to do.
    """
    kept = [move for move in moves if move.becomes is Becomes.ORIGINAL]
    family = look(aim.psql, aim.state) if kept else None
    for move in moves:
        if family and move.becomes is Becomes.ORIGINAL:
            _tell_original(aim, family, move, teller)
        elif move.becomes is Becomes.DISCARDED:
            _drop(aim, move.member, move.new, teller)


def tell_forward(aim: Aim, moves: Sequence[Move], teller: Teller) -> None:
    """After the way back: how what was the target until now comes again."""
    last = look(aim.psql, aim.state).last_replaced
    until_now = [one.new for one in moves if one.member.dbname == aim.names.target]
    if last and last.dbname in until_now:
        undo = aim.shell.command_for("db.undo")
        teller.say(f"`{undo}` again swaps forward.")


def tell_beside(aim: Aim, teller: Teller) -> None:
    """List what is kept beside the target, and how it is brought back."""
    family = look(aim.psql, aim.state)
    previous = [family.previous] if family.previous else []
    for one in [*previous, *family.originals_in_turn]:
        way = _way_back(aim, family, one.dbname)
        teller.say(f"{one.dbname} holds {_told(one)}: {way}.")


def drop_originals(aim: Aim, teller: Teller) -> None:
    """Drop the databases that dbpull had not filled, each that can be dropped.

    Raises NotOwner, CannotDrop of the last that can't.
    """
    family = look(aim.psql, aim.state)
    stuck: PullError | None = None
    for one in family.originals:
        try:
            _drop_original(aim, one)
        except (NotOwner, CannotDrop) as error:
            if stuck:
                teller.note(f"{stuck.what} {stuck.remedy}")
            stuck = error
        else:
            teller.say(f"Dropped {one.dbname} ({_told(one)}).")
    if stuck:
        raise stuck
    if not family.originals:
        teller.say(f"There is no original database of {aim.connection.label}.")


def _drop_original(aim: Aim, one: Member) -> None:
    if not (one.owned or aim.state.superuser):
        raise NotOwner(aim.state.user, one.owner, one.dbname)
    try:
        drop_member(aim.psql, aim.state, one, one.dbname)
    except CannotDrop as error:
        raise error.dropped_by("`invoke db.cleanup --original`") from error


def _tell_original(aim: Aim, family: Family, move: Move, teller: Teller) -> None:
    cleanup = aim.shell.command_for("db.cleanup")
    place = _place(aim, move.member)
    teller.note(
        f"{place[0].upper()}{place[1:]}, which dbpull had not filled, is kept as"
        f" {move.new}: {_way_back(aim, family, move.new)}, `{cleanup} --original`"
        " drops it."
    )


def _way_back(aim: Aim, family: Family, dbname: str) -> str:
    """The command that brings a kept database back."""
    undo = aim.shell.command_for("db.undo")
    turns = [one.dbname for one in family.originals_in_turn]
    if dbname not in turns:
        return f"`{undo}` brings it back"
    often = turns.index(dbname) + 1
    return (
        f"`{undo} --original`{f', {often} times,' if often > 1 else ''} brings it back"
    )


def _drop(aim: Aim, member: Member, dbname: str, teller: Teller) -> None:
    told = f"{_place(aim, member)} ({_rows(member.provenance)})"
    try:
        drop_member(aim.psql, aim.state, member, dbname)
    except CannotDrop as error:
        teller.note(f"{error.what} It was {told}. {error.remedy}")
    except PullError as error:
        teller.note(f"{error.what} The next pull will try again.")
    else:
        teller.note(f"Dropped {told}.")


def _place(aim: Aim, member: Member) -> str:
    """A database by what it was until now."""
    if member.dbname != aim.names.target:
        return f"the database before that, {member.dbname}"
    return f"the old {aim.names.target}"


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
