"""The script of a swap: looks once more, renames, and marks what is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dbpull.target.family import Becomes, Move
from dbpull.target.names import Names
from dbpull.target.provenance import unfinished
from dbpull.target.sessions import CLIENTS, NAMED, listed

CHANGED, LOST = "changed", "lost"
"""What the script prints where it does nothing: databases are not what they were, or
the new one is not the one that was built."""
# A rename needs the database to itself. While it waits (5 seconds, procarray.c's
# CountOtherDBBackends) it holds the lock that keeps new sessions out.
_TRANSACTION = """
{looks}
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE {named} AND pid <> pg_backend_pid() AND {clients} \\g /dev/null
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
# A replaced database is marked as kept by us; its own comment waits inside.
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
    """Old and new names, in the order of the statements.

    What is to be the target again makes room first, for what takes its name.
    """
    back = [one for one in moves if one.becomes is Becomes.TARGET]
    away = [one for one in moves if one.becomes is not Becomes.TARGET]
    return [
        *((one.member.dbname, one.meanwhile) for one in back),
        *((one.member.dbname, one.new) for one in away),
        *((one.meanwhile, one.new) for one in back),
        *([(names.aside, names.target)] if new else []),
    ]


def script(names: Names, moves: Sequence[Move], *, new: bool) -> str:
    """The SQL that makes the moves; `new`: and the aside database the target."""
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
        named=NAMED,
        clients=CLIENTS,
        renames="".join(_RENAME.format(n=n) for n in pairs),
        marks="".join(marks),
    )


def variables(names: Names, moves: Sequence[Move], aside: str = "") -> dict[str, str]:
    """What the script's variables hold; `aside`: the oid of the new database."""
    dbnames = [one.member.dbname for one in moves]
    told = {
        "target": names.target,
        "mark": unfinished(names.target),
        "now": datetime.now(UTC).isoformat(),
        "dbnames": listed([*dbnames, *([names.aside] if aside else [])]),
        "name_aside": names.aside,
        "name_target": names.target,
        "oid_aside": aside,
        "oid_target": aside,
    }
    for n, one in enumerate(move.member for move in moves):
        told |= {f"name{n}": one.dbname, f"oid{n}": one.oid, f"was{n}": one.was}
        told[f"kept{n}"] = "t" if one.kept else "f"
    for n, (old, new) in enumerate(renames(names, moves, new=bool(aside))):
        told |= {f"old{n}": old, f"new{n}": new}
    return told
