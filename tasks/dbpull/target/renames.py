"""The SQL script of a swap: checks the databases again, renames and comments them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dbpull.target.family import Becomes, Move
from dbpull.target.names import Names
from dbpull.target.provenance import unfinished
from dbpull.target.sessions import END, listed

CHANGED, LOST = "changed", "lost"
"""The line printed instead of renaming: a database of the moves has changed, or
the aside database is not the one that was built."""
# A rename needs the database without other sessions. While it waits for their end
# (5 seconds, procarray.c's CountOtherDBBackends) its lock keeps new sessions out.
_TRANSACTION = """
{looks}
{end} \\g /dev/null
BEGIN;
{renames}
{marks}
COMMIT;
"""
_LOOK = """
SELECT count(*) = 1 AS same FROM pg_database
WHERE datname = :'name{n}' AND oid = :'oid{n}' {comment}
\\gset
\\if :same
\\else
  \\echo {word}
  \\quit
\\endif
"""
_UNCHANGED = """AND hashtext(coalesce(shobj_description(oid, 'pg_database'), ''))::text
  = :'was{n}'"""
_RENAME = """
SELECT format('ALTER DATABASE %I RENAME TO %I', :'old{n}', :'new{n}') \\gexec
"""
_COMMENT = """
SELECT format('COMMENT ON DATABASE %I IS %s', datname,
    coalesce(quote_literal({comment}), 'NULL'))
FROM pg_database WHERE oid = :'oid{n}' \\gexec
"""
# The mark of a replaced database holds the database's own comment.
_INNER = """CASE WHEN :'kept{n}' = 't'
    THEN shobj_description(oid, 'pg_database')::json #>> '{{dbpull,comment}}'
    ELSE shobj_description(oid, 'pg_database') END"""
_KEPT = """json_build_object('dbpull', json_build_object('{key}', :'target'::text,
    'comment', {inner}, 'replaced', :'now'::text))::text"""
_COMMENTS = {
    Becomes.TARGET: _INNER,
    Becomes.PREVIOUS: _KEPT.format(key="previous_of", inner=_INNER),
    Becomes.ORIGINAL: _KEPT.format(key="original_of", inner=_INNER),
    Becomes.DISCARDED: ":'mark'",
}


def renames(names: Names, moves: Sequence[Move], *, new: bool) -> list[tuple[str, str]]:
    """Pairs of old and new names, in the order of the rename statements.

    The coming target leaves its name first: the old target may take that name.
    """
    back = [move for move in moves if move.becomes is Becomes.TARGET]
    away = [move for move in moves if move.becomes is not Becomes.TARGET]
    return [
        *((move.member.dbname, move.meanwhile) for move in back),
        *((move.member.dbname, move.new) for move in away),
        *((move.meanwhile, move.new) for move in back),
        *([(names.aside, names.target)] if new else []),
    ]


def script(names: Names, moves: Sequence[Move], *, new: bool) -> str:
    """The SQL that makes the moves; `new`: then the aside database is the target."""
    looks, marks = [], []
    for n, move in enumerate(moves):
        comment = _UNCHANGED.format(n=n)
        looks.append(_LOOK.format(n=n, comment=comment, word=CHANGED))
        marks.append(_COMMENT.format(n=n, comment=_COMMENTS[move.becomes].format(n=n)))
    if new:
        looks.append(_LOOK.format(n="_aside", comment="", word=LOST))
        marks.append(_LOOK.format(n="_target", comment="", word=LOST))
        marks.append(_COMMENT.format(n="_target", comment=":'comment'"))
    pairs = range(len(renames(names, moves, new=new)))
    return _TRANSACTION.format(
        looks="".join(looks),
        end=END,
        renames="".join(_RENAME.format(n=n) for n in pairs),
        marks="".join(marks),
    )


def variables(names: Names, moves: Sequence[Move], aside: str = "") -> dict[str, str]:
    """The script's psql variables; `aside`: the oid of the new database."""
    dbnames = [move.member.dbname for move in moves]
    values = {
        "target": names.target,
        "mark": unfinished(names.target),
        "now": datetime.now(UTC).isoformat(),
        "dbnames": listed([*dbnames, *([names.aside] if aside else [])]),
        "name_aside": names.aside,
        "name_target": names.target,
        "oid_aside": aside,
        "oid_target": aside,
    }
    for n, member in enumerate(move.member for move in moves):
        values |= {f"name{n}": member.dbname, f"oid{n}": member.oid}
        values |= {f"was{n}": member.was, f"kept{n}": "t" if member.kept else "f"}
    for n, (old, new) in enumerate(renames(names, moves, new=bool(aside))):
        values |= {f"old{n}": old, f"new{n}": new}
    return values
