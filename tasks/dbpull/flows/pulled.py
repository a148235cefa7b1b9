"""The snapshot `pulled`, which `keep_pulled` makes of each pull and a pull may use."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from dbpull.dumps.names import Dump
from dbpull.errors import PullError
from dbpull.errors.target import TargetError
from dbpull.flows import snapshots
from dbpull.flows.gather import Run
from dbpull.flows.refresh import Refreshed
from dbpull.masks import kept_columns
from dbpull.masks.salt import NEW, salt_of
from dbpull.naming import command
from dbpull.project import PROJECT
from dbpull.settings import Settings
from dbpull.target import opened
from dbpull.target.family import Family
from dbpull.target.opened import LockedTarget
from dbpull.target.provenance import Provenance
from dbpull.target.snapshots import PULLED, Snapshot, named

DECIDING = ("skip_data", "tolerate", "mask", "mask_except", "mask_locale")
"""Settings that decide, with the dump, on what is in a pulled database."""
OTHERWISE = ("keep_rows", "before_swap", "after_swap")
"""Settings that make each pull another: rows and commands may differ next time."""


def keep(run: Run, done: Refreshed) -> None:
    """Keep what was pulled as the snapshot `pulled`, where `keep_pulled` says so.

    After the commands of `after_swap`, so that their work is in it. A failure is noted:
    the pull itself has succeeded.
    """
    if not run.settings.keep_pulled or run.asked.in_place:
        return
    try:
        with opened.held(done.target, run.reporter) as held:
            _replace(held, done.oid, run)
    except PullError as error:
        what = f"The pull is not kept as the snapshot {PULLED}: {error.what}"
        run.reporter.note(f"{what} {error.remedy}")
    else:
        back = f"`{command('reset')} --to={PULLED}` brings it back."
        run.reporter.say(f"It is kept as the snapshot {PULLED}: {back}")


def same(run: Run, family: Family, dump: Dump | None) -> Snapshot | None:
    """The snapshot that equals what a pull of this dump would make.

    None where another backup, or the same with other settings, was pulled last.
    """
    if not run.settings.keep_pulled or run.asked.in_place or not (dump and dump.taken):
        return None
    found, wanted = named(family, PULLED), _digest_of(run)
    if not found or not wanted or found.settings != wanted:
        return None
    return found if _holds(found.member.provenance, dump) else None


def bring_back(run: Run, held: LockedTarget, found: Snapshot) -> None:
    """Reset the target to the snapshot instead of pulling. Raises as a reset does."""
    drop = f"`{command('snapshot')} {PULLED} --drop`"
    run.reporter.say(
        f"This backup, pulled with the same settings, is here as the snapshot {PULLED}:"
        f" it is copied. To pull anew, {drop} first."
    )
    snapshots.bring_back(held, found, run.settings, run.reporter)


def digest(settings: Settings, *, blank_new: bool = False) -> str:
    """A digest of what decides on rows; "" where each pull is another.

    `blank_new`: whether columns that nobody has decided about are blanked.
    """
    if settings.mask_salt == NEW or any(getattr(settings, key) for key in OTHERWISE):
        return ""
    fields = [[key, getattr(settings, key)] for key in DECIDING]
    fields.append(["blank_new", blank_new])
    if settings.mask:
        here = settings.local or settings
        fields.append(["salt", salt_of(settings.mask_salt, here.path).hashed])
        fields.append(
            ["kept columns", sorted(kept_columns.read(PROJECT.folder).items())]
        )
    text = json.dumps(fields, sort_keys=True, default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _digest_of(run: Run) -> str:
    return digest(run.settings, blank_new=run.asked.blank_new)


def _replace(held: LockedTarget, oid: str, run: Run) -> None:
    """Take the snapshot in place of the one from the pull before.

    Raises TargetError where another run has replaced the target meanwhile, and the
    errors of dropping and taking a snapshot.
    """
    family, target = held.target.state.family, held.target
    if not (family.target and family.target.oid == oid):
        raise TargetError(
            f"Another run has replaced {target.connection.label} meanwhile.",
            f"`{command('snapshots')}` lists what is kept.",
        )
    if old := named(family, PULLED):
        snapshots.drop_snapshot(target, old)
    snapshots.refuse_full_disk(target, target.state.size)
    snapshots.take(held, PULLED, run.reporter, settings=_digest_of(run))


def _holds(provenance: Provenance | None, dump: Dump) -> bool:
    """Whether the rows are the dump's; the names of dumps tell seconds."""
    return provenance is not None and (
        (provenance.app, provenance.backup, _second(provenance.taken))
        == (dump.app, dump.backup, _second(dump.taken))
    )


def _second(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=0) if moment else None
