"""What a pull or a restore does with masks: refusals before, the dump afterwards."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dbpull.archive import Entry
from dbpull.console import Reporter
from dbpull.dumps.names import Dump
from dbpull.dumps.store import DumpStore
from dbpull.errors.masks import MaskError
from dbpull.flows import cleanup
from dbpull.masks import kept_columns, rules
from dbpull.masks.alike import digests
from dbpull.masks.decisions import Undecided
from dbpull.masks.judged import MaskedTable
from dbpull.masks.masking import Applied, Masking
from dbpull.masks.proof import prove, prove_keys
from dbpull.masks.salt import salt_of
from dbpull.naming import command, setting
from dbpull.postgres.patterns import Table
from dbpull.postgres.psql import Psql
from dbpull.project import PROJECT
from dbpull.restore.selection import Selection
from dbpull.settings import Settings
from dbpull.target.opened import Target

OLDEST = 14
"""The first major version with functions whose SQL is parsed when they are created."""
_STATISTICS = "STATISTICS DATA"
_TABLES = {"TABLE", "FOREIGN TABLE"}


def refuse_unmaskable(
    settings: Settings, *, in_place: bool, blank_new: bool = False
) -> None:
    """Raise MaskError for rules that can't be used, before anything is asked."""
    rules.read(settings.mask)
    kept_columns.read(PROJECT.folder)
    if blank_new and not settings.mask:
        raise MaskError(
            f"--blank-new is for masked pulls, and no rule is in {setting('mask')}.",
            "Leave it out, or add rules.",
        )
    if settings.mask and in_place:
        raise MaskError(
            "--in-place refills the target itself, where masks can't come between"
            " definitions and rows.",
            "Leave --in-place out: the target is then replaced as a whole.",
        )
    if settings.mask_except and not settings.mask:
        raise MaskError(
            f"{setting('mask_except')} is set, and no rule is in {setting('mask')}.",
            "Add rules, or remove it.",
        )


def refuse_lost_rules(settings: Settings) -> None:
    """Raise MaskError where columns were decided about, and no rule is left."""
    if not settings.mask and kept_columns.read(PROJECT.folder):
        raise MaskError(
            f"No rule is in {setting('mask')}, although there is {kept_columns.FILE}:"
            " all columns would come as they are.",
            f"Add rules (`{command('mask')} --init` proposes them), or remove the file"
            " if none is to be masked.",
        )


def unmasked(
    settings: Settings, named: str | None, name: str, reporter: Reporter
) -> Settings:
    """The settings without masks, where --unmasked names what is pulled: `name`.

    Raises MaskError unless the project's own invoke.yaml allows it.
    """
    if named is None:
        return settings
    if not settings.unmasked:
        raise MaskError(
            "--unmasked is not allowed here, so nothing was done.",
            f"Whoever decides for the project may set {setting('unmasked')}: true in"
            " invoke.yaml.",
        )
    if named != name:
        raise MaskError(
            f"--unmasked={named} is not {name}, so nothing was done.",
            f"Add --unmasked={name} where its people's data may be in this database.",
        )
    reporter.note(f"--unmasked: the rows of {name} come as they are.")
    return replace(settings, mask={}, mask_except={})


@dataclass
class Masks:
    """The masks of a run on its target's server."""

    psql: Psql
    masking: Masking
    entries: Sequence[Entry]
    """Those of the dump that are restored."""
    keeping: Collection[str]
    """The tables whose old rows come along."""
    applied: Applied | None = None
    """The masks that the new database has, once they are put on."""
    kept: Mapping[Table, int] = field(default_factory=dict)
    """The rows of each table that stayed as they were, once masks are off."""

    @property
    def tables(self) -> Sequence[MaskedTable]:
        """The tables that got masks."""
        return self.applied.tables if self.applied else ()

    @property
    def options(self) -> str:
        """The settings of the sessions that restore rows, in the form of PGOPTIONS."""
        return self.masking.options

    @property
    def excepted(self) -> dict[str, int]:
        """How many rows of each table stayed as they were."""
        tables = (one.table for one in self.tables)
        return {t.label: self.kept[t.key] for t in tables if self.kept.get(t.key)}

    @property
    def provenance(self) -> Mapping[str, Any] | None:
        """What a database's comment tells of its masks, once they are off."""
        if not self.tables:
            return None
        return {
            "columns": sum(len(one.masks) for one in self.tables),
            "rules": self.masking.fingerprint,
            "salt": self.masking.salt.fingerprint,
            "except": self.excepted,
            "blanked": sorted(".".join(name) for name in self.masking.blanked),
            "kept_rows": digests(self.tables, self.keeping),
        }

    def put_on(self, dbname: str) -> None:
        """Put masks on between definitions and rows. Raises MaskError, SqlFailed."""
        self.applied = self.masking.put_on(self.psql, dbname, self.entries)

    def take_off(self, dbname: str, absent: Collection[Entry]) -> None:
        """Take masks off, prove them gone, their work done and the keys there.

        `absent`: entries that failed, and may. Raises MaskError, SqlFailed.
        """
        if not self.applied:
            raise MaskError("No mask was put on.", "Please report this.")
        on, psql = self.applied, self.psql
        self.kept = self.masking.take_off(psql, dbname, on)
        prove(psql, dbname, on, self.kept)
        prove_keys(psql, dbname, [one for one in self.entries if one not in absent])


def masks_for(
    target: Target,
    settings: Settings,
    entries: Sequence[Entry],
    blanked: Iterable[Undecided] = (),
    *,
    in_place: bool,
) -> Masks | None:
    """The masks that are set, if any. Raises MaskError where a server has no way."""
    if not settings.mask:
        return None
    refuse_unmaskable(settings, in_place=in_place)
    state, here = target.state, settings.local or settings
    if state.major < OLDEST:
        raise MaskError(
            f"Masks need PostgreSQL {OLDEST} or newer; {target.connection.label} is on"
            f" {state.major}.",
            "Name a database of a newer server as target.",
        )
    masking = Masking(
        rules.read(settings.mask),
        settings.mask_except,
        settings.mask_locale or "",
        salt_of(settings.mask_salt, here.path),
        quiet=state.superuser,
        blanked=[column.name for column in blanked],
    )
    return Masks(target.psql, masking, entries, settings.keep_rows)


def without_values(selection: Selection) -> Selection:
    """A selection for masks: without the statistics, which hold values of rows.

    Raises MaskError where a table would come behind the rows of others.
    """
    kept = [entry for entry in selection.entries if entry.desc != _STATISTICS]
    early = {entry.dump_id for entry in selection.of("pre-data")}
    late = [e.tag for e in kept if e.desc in _TABLES and e.dump_id not in early]
    if late:
        raise MaskError(
            f"The dump has the table {late[0]} behind the rows of others: a"
            " materialized view that groups by a key comes before it.",
            "Such a dump can't be masked. Have the table not depend on that view.",
        )
    count = len(selection.entries) - len(kept)
    told = (f"statistics, which hold values of rows ({count})",) if count else ()
    left_out = (*selection.left_out, *told)
    return replace(selection, entries=tuple(kept), left_out=left_out)


def remove_dump(
    settings: Settings, dump: Dump, store: DumpStore, reporter: Reporter
) -> bool:
    """After a masked pull, remove the dump, which is not masked.

    It stays where `keep` is set, which is told. Returns whether no dump is to be kept.
    """
    if settings.origins["keep"] != "default":
        origin = settings.origins["keep"]
        reporter.note(f"The dump, which is not masked, is kept: {origin} says so.")
        return False
    cleanup.delete(dump, store, reporter)
    return True
