"""What a pull or a restore does with masks: refusals before, the dump afterwards."""

from __future__ import annotations

from dataclasses import replace

from dbpull.console import Reporter
from dbpull.dumps.names import Dump
from dbpull.dumps.store import DumpStore
from dbpull.errors.masks import MaskError
from dbpull.flows import cleanup
from dbpull.masks import kept_columns, rules
from dbpull.naming import command, setting
from dbpull.project import PROJECT
from dbpull.restore.selection import Selection
from dbpull.settings import Settings

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
