"""The judgement of a table of contents before the restore: programs, server, disk."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dbpull.archive import Archive, Extension
from dbpull.errors.restore import (
    ForbiddenExtensions,
    MissingExtensions,
    MissingFeatures,
    NoSuchTable,
    RestoreError,
)
from dbpull.flows import masked
from dbpull.postgres import programs
from dbpull.restore.builds import lacked
from dbpull.restore.failures import fits, name
from dbpull.restore.left_out import LeftOut, ServerFacts, creating
from dbpull.restore.selection import Selection, select
from dbpull.settings import Settings
from dbpull.sources.kinds import PLATFORM
from dbpull.target import disk
from dbpull.target.database_settings import SearchPath
from dbpull.target.installed import installed
from dbpull.target.opened import Target
from dbpull.words import size

if TYPE_CHECKING:
    from dbpull.masks.decisions import Undecided


@dataclass(frozen=True)
class Prepared:
    """The pg_restore and the selection, and the schemas to create beforehand."""

    program: programs.Program
    selection: Selection
    schemas: frozenset[str]
    """The schemas that the dump needs and does not create."""
    extensions: tuple[Extension, ...]
    """The extensions that may make some of these schemas."""
    search_path: SearchPath
    blanked: tuple[Undecided, ...] = ()
    """The columns that come blank, since nobody has decided about them."""


def prepare(
    target: Target,
    archive: Archive,
    settings: Settings,
    *,
    in_place: bool = False,
    blank_new: bool = False,
) -> Prepared:
    """Prepare a dump's restore; refuse a dump that could not be restored.

    Raises PostgresError where no program can read it, RestoreError, and MaskError.
    """
    header = archive.header
    program = programs.pg_restore_for(
        header.version,
        header.compression,
        target.state.major,
        target.pg_restores,
        target.shell.where,
    )
    server = _server(target, archive, in_place=in_place)
    left_out = LeftOut(archive, server, PLATFORM)
    selection = select(left_out, settings.skip_data)
    blanked: tuple[Undecided, ...] = ()
    if settings.mask:
        # Imported inside: most pulls mask nothing.
        from dbpull.flows import decided

        selection = masked.without_values(selection)
        selection, blanked = decided.judged(selection, settings, blank_new=blank_new)
    if selection.unmatched and settings.origins["skip_data"] == "--skip-data":
        raise NoSuchTable(selection.unmatched)
    _refuse_extensions(target, selection, settings.tolerate)
    _refuse_build(target, selection, settings.tolerate)
    _refuse_roles(left_out, settings.tolerate)
    restored = replace(archive, entries=selection.entries)
    public = {e.tag for e in archive.entries if e.desc == "SCHEMA"} & {"public"}
    schemas = restored.missing_schemas | public
    never_made = {"public", PLATFORM.extension_schema}
    extensions = () if schemas <= never_made else restored.extensions
    used = {entry.namespace for entry in archive.entries}
    used |= {extension.schema for extension in archive.extensions}
    search_path = SearchPath(PLATFORM, wanted=PLATFORM.extension_schema in used)
    return Prepared(program, selection, schemas, extensions, search_path, blanked)


def _server(target: Target, archive: Archive, *, in_place: bool) -> ServerFacts:
    """The facts of the target's server that decide on a dump's entries."""
    state = target.state
    creatable = {name for name, may in state.extensions.items() if may}
    roles = None
    if any(entry.desc == "POLICY" for entry in archive.entries):
        sql = "SELECT rolname FROM pg_roles;"
        rows = target.psql.run(sql, doing="Querying the roles")
        roles = {name for (name,) in rows}
    # From 15 on `public` belongs to the owner of its database.
    owns_public = state.superuser or state.major >= 15
    server = ServerFacts(creatable, state.superuser, roles, owns_public=owns_public)
    return _in_place(target, archive, server) if in_place else server


def _in_place(target: Target, archive: Archive, server: ServerFacts) -> ServerFacts:
    """The server for a refill in place: extensions that we can't recreate are kept.

    Raises RestoreError.
    """
    present = installed(target.psql)
    wanted = {extension.name: extension.schema for extension in archive.extensions}
    kept = [
        each
        for each in present.extensions
        if each.name in wanted and not (each.owned and each.name in server.creatable)
    ]
    for each in kept:
        if (schema := wanted[each.name] or each.schema) != each.schema:
            raise RestoreError(
                f"The dump has the extension {each.name} in the schema {schema}; in"
                f" {target.connection.label} it is in {each.schema}, and belongs to"
                " somebody else.",
                f'Have its owner move it: ALTER EXTENSION "{each.name}" SET SCHEMA'
                f' "{schema}";',
            )
    return replace(
        server,
        owns_public=present.owns_public,
        kept={each.name: each.schema for each in kept},
        kept_rows=[(schema, name) for each in kept for schema, name in each.rows],
    )


def _refuse_extensions(
    target: Target, selection: Selection, tolerate: tuple[str, ...]
) -> None:
    """Raise MissingExtensions, ForbiddenExtensions."""
    state, label = target.state, target.connection.label
    entries = [entry for entry in selection.entries if entry.desc == "EXTENSION"]
    wanted = [entry.tag for entry in entries if not fits(entry, tolerate)]
    lacking = [name for name in wanted if name not in state.extensions]
    if lacking:
        raise MissingExtensions(lacking, label, state.major, embedded=target.embedded)
    if forbidden := [name for name in wanted if not state.extensions[name]]:
        raise ForbiddenExtensions(forbidden, state.user, label)


def _refuse_build(
    target: Target, selection: Selection, tolerate: tuple[str, ...]
) -> None:
    """Raise MissingFeatures."""
    entries = (entry for entry in selection.entries if not fits(entry, tolerate))
    if found := lacked(target.psql, entries):
        needed = {feature: [*map(name, users)] for feature, users in found.items()}
        raise MissingFeatures(needed, target.connection.label, embedded=target.embedded)


def _refuse_roles(left_out: LeftOut, tolerate: tuple[str, ...]) -> None:
    """Raise RestoreError where a policy is for missing roles and existing roles alike.

    A policy for missing roles alone is left out: it could let or stop nobody.
    """
    found = [
        (name(entry), missing)
        for entry in left_out.archive.entries
        if not fits(entry, tolerate)
        for missing, existing in [left_out.lacked_roles(entry)]
        if missing and existing
    ]
    if found:
        roles = sorted({role for _, missing in found for role in missing})
        policies = [policy for policy, _ in found[:5]]
        shown = ", ".join(policies) + (" …" if len(found) > 5 else "")
        raise RestoreError(
            f"This server lacks roles that policies of the dump name: {shown}.",
            f"Create them there: {creating(roles)}. Or go on without:"
            f" --tolerate={shlex.quote(','.join(policies))}.",
        )


def useless(prepared: Prepared, archive: Archive, settings: Settings) -> Iterator[str]:
    """Notes on patterns that fit nothing; those of --skip-data are refused instead."""
    for pattern, near in prepared.selection.unmatched.items():
        meant = f"; did you mean {near}?" if near else "."
        yield f"skip_data: no table fits {pattern}{meant}"
    for pattern in settings.tolerate:
        if not any(fits(entry, [pattern]) for entry in archive.entries):
            yield f"tolerate: nothing in the dump fits {pattern}."


def refuse_full_disk(target: Target, needed: int | None) -> None:
    """Raise RestoreError where the server's disk is this machine's and too small.

    `needed`: the size in bytes of the source database with its bloat, so a little less
    may do.
    """
    if not needed:
        return
    free = disk.free(target)
    if free is not None and free < needed * 0.7:
        raise RestoreError(
            f"The new database needs about {size(needed)} beside the old one,"
            f" and the disk of {target.connection.label} has {size(free)} left.",
            "Free some space, drop the previous database, or skip rows by skip_data.",
        )
