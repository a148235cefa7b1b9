"""The snapshots of a target: named copies of it, and the kept originals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dbpull.errors.spelling import did_you_mean
from dbpull.errors.target import NameTaken, TargetError
from dbpull.naming import command
from dbpull.target.family import Family
from dbpull.target.member import Member
from dbpull.target.names import SNAPSHOT_NAME
from dbpull.target.provenance import SnapshotMark

PULLED = "pulled"
"""The name of the snapshot that `keep_pulled` makes of each pull."""


@dataclass(frozen=True)
class Snapshot:
    """A database beside the target that `db.reset` can bring back."""

    name: str
    member: Member
    taken: datetime | None
    """When it was made, or an original replaced."""
    settings: str = ""
    """The digest of the settings that decided on a pull's rows."""
    original: bool = False
    """Whether it is no copy: the replaced database itself."""


def snapshots(family: Family) -> list[Snapshot]:
    """The snapshots, the latest first; then the originals, likewise."""
    found = []
    for dbname, member in family.members.items():
        mark = SnapshotMark.from_comment(member.comment)
        if mark and (mark.target, dbname) == (
            family.names.target,
            family.names.snapshot(mark.name),
        ):
            settings = mark.settings
            found.append(Snapshot(mark.name, member, mark.taken, settings))
    found.sort(key=lambda each: str(each.taken), reverse=True)
    return found + [
        Snapshot(member.dbname.rpartition("__dbpull_")[2], member, when, original=True)
        for member in family.originals
        for when in [member.kept.replaced if member.kept else None]
    ]


def named(family: Family, name: str) -> Snapshot | None:
    """The snapshot or original of this name."""
    return next((each for each in snapshots(family) if each.name == name), None)


def chosen(family: Family, name: str | None, label: str) -> Snapshot:
    """The snapshot of this name, or without a name the latest.

    Raises TargetError where there is none.
    """
    found = snapshots(family)
    if name is None and found and not found[0].original:
        return found[0]
    if name is not None and (one := named(family, name)):
        return one
    there = [each.name for each in found]
    what = f"There is no snapshot {name or ''}".rstrip() + f" of {label}."
    if not there:
        raise TargetError(what, f"`{command('snapshot')} NAME` takes one.")
    if name is None:
        raise TargetError(what, f"Name what is to be copied: --to={there[0]}.")
    near = did_you_mean(name, there)
    raise TargetError(what, f"{near}There are: {', '.join(there)}.")


def refuse_name(name: str) -> None:
    """Raise TargetError for a name that no new snapshot may have."""
    if not SNAPSHOT_NAME.fullmatch(name):
        raise TargetError(
            f"A snapshot can't be called {name!r}.",
            "Use up to 30 letters without accents, digits, - and _; first a letter or"
            " digit.",
        )
    if name in {PULLED, "previous"} or name.startswith("original"):
        raise TargetError(
            f"A snapshot can't be called {name}: dbpull itself uses that name.",
            "Choose another name.",
        )


def refuse_taken(family: Family, name: str, label: str) -> None:
    """Raise TargetError or NameTaken where a database has the snapshot's name."""
    if named(family, name):
        raise TargetError(
            f"There is a snapshot {name} of {label} already.",
            f"Choose another name, or drop it: `{command('snapshot')} {name} --drop`.",
        )
    if (dbname := family.names.snapshot(name)) in family.members:
        raise NameTaken(dbname)
