"""The databases beside the target, in words: what was kept, what was dropped."""

from __future__ import annotations

from collections.abc import Sequence

from dbpull.console import Teller
from dbpull.errors import PullError
from dbpull.errors.target import CannotDrop
from dbpull.steps.aim import Aim
from dbpull.target.family import Becomes, Member, Move, look
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
    for move in moves:
        if move.becomes is Becomes.ORIGINAL:
            _tell_original(aim, move, teller)
        elif move.becomes is Becomes.DISCARDED:
            _drop(aim, move.member, move.new, teller)


def tell_beside(aim: Aim, teller: Teller) -> None:
    """List what is kept beside the target, and how it is brought back."""
    family, undo = look(aim.psql, aim.state), aim.shell.command_for("db.undo")
    if one := family.previous:
        teller.say(f"{one.dbname} holds {_told(one)}: `{undo}` brings it back.")
    for one in family.originals:
        teller.say(
            f"{one.dbname} holds {_told(one)}: `{undo} --original` brings it back."
        )


def drop_originals(aim: Aim, teller: Teller) -> None:
    """Drop the databases that dbpull had not filled. Raises CannotDrop."""
    family = look(aim.psql, aim.state)
    for one in family.originals:
        drop_member(aim.psql, aim.state, one, one.dbname)
        teller.say(f"Dropped {one.dbname} ({_told(one)}).")
    if not family.originals:
        teller.say(f"There is no original database of {aim.connection.label}.")


def _tell_original(aim: Aim, move: Move, teller: Teller) -> None:
    undo, cleanup = (
        aim.shell.command_for(f"db.{task}") for task in ("undo", "cleanup")
    )
    place = _place(aim, move.member)
    teller.note(
        f"{place[0].upper()}{place[1:]}, which dbpull had not filled, is kept as"
        f" {move.new}: `{undo} --original` brings it back, `{cleanup} --original`"
        " drops it."
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
    if member.kept:
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
    return f"{known.app} {known.backup}{aged}, pulled {ago(known.pulled)}{beside}"
