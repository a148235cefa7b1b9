"""The masks of a restore: put on before rows come, taken off and proved afterwards.

Most pulls have none, so that this file is imported where rules are set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dbpull.archive import Entry
from dbpull.errors.masks import MaskError
from dbpull.flows.masked import refuse_unmaskable
from dbpull.masks import rules
from dbpull.masks.alike import digests
from dbpull.masks.decisions import Undecided
from dbpull.masks.judged import MaskedTable
from dbpull.masks.masking import Applied, Masking
from dbpull.masks.proof import prove, prove_keys
from dbpull.masks.salt import salt_of
from dbpull.postgres.patterns import Table
from dbpull.postgres.psql import Psql
from dbpull.settings import Settings
from dbpull.target.opened import Target

OLDEST = 14
"""The first major version with functions whose SQL is parsed when they are created."""


@dataclass
class Masks:
    """The masks of a run on its target's server."""

    psql: Psql
    masking: Masking
    entries: Sequence[Entry]
    """The entries of the dump that are restored."""
    keeping: Collection[str]
    """The tables whose old rows come along."""
    applied: Applied | None = None
    """The masks that the new database has, once they are put on."""
    kept: Mapping[Table, int] = field(default_factory=dict)
    """The rows of each table that stayed as they were, once masks are off."""

    @property
    def tables(self) -> Sequence[MaskedTable]:
        """The tables on whose columns masks were put."""
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
) -> Masks:
    """The masks that are set. Raises MaskError where a server has no way."""
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
