"""A dump's table of contents: its entries, and the dependencies between them.

Source: ReadToc and PrintTOCSummary in src/bin/pg_dump/pg_backup_archiver.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import BinaryIO

from dbpull.archive.encodings import UTF8, codec_of, decoded
from dbpull.archive.fields import Fields
from dbpull.archive.header import Header, read_header

SECTIONS = {1: "none", 2: "pre-data", 3: "data", 4: "post-data"}
RELKIND = (1, 16)  # the version that added the kind of relation to each entry
OFFSET_STATES = (1, 2, 3)  # not set, set, no data

IDENTIFIER = r'(?:"(?:[^"]|"")+"|[^\s".,;()]+)'
"""A regular expression for a name in a definition, quoted where SQL wants it."""
CREATE_EXTENSION = re.compile(
    rf"CREATE EXTENSION (?:IF NOT EXISTS )?({IDENTIFIER})"
    rf"(?: WITH SCHEMA ({IDENTIFIER}))?"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table of contents, as `pg_restore -l` shows it.

    `desc` is its kind ("TABLE DATA"), `tag` its name, `section` one of pre-data, data,
    post-data and none. `had_data` entries have a block of their own in the dump.
    `catalog` and `oid` name the object where it was dumped; `dependencies` are dump
    ids, some of which may not be in this dump.
    """

    dump_id: int
    had_data: bool
    catalog: int
    oid: int
    tag: str
    desc: str
    section: str
    definition: str = field(repr=False)
    namespace: str | None
    owner: str
    dependencies: tuple[int, ...] = field(repr=False)
    tablespace: str = field(default="", repr=False)
    """The tablespace of the entry; "" for its database's default."""
    access_method: str = field(default="", repr=False)
    """The access method of a table; "" where it has none, or the dump is older."""
    copy: str = field(default="", repr=False, compare=False)
    """The COPY statement of rows, which names their columns."""
    definition_at: int = field(default=0, repr=False, compare=False)
    """The byte of the archive at which the definition's length stands."""
    starts_at: int = field(default=0, repr=False, compare=False)
    place_at: int = field(default=0, repr=False, compare=False)
    """The byte at which the place of the data stands: an offset, or a file's name."""
    ends_at: int = field(default=0, repr=False, compare=False)
    """The end (excluded) of the entry's bytes in the archive, from `starts_at`."""

    @property
    def line(self) -> str:
        """The entry as `pg_restore -l` lists it and `-L` takes it."""
        namespace = self.namespace or "-"
        head = f"{self.dump_id}; {self.catalog} {self.oid} {self.desc}"
        return re.sub(r"[\r\n]", " ", f"{head} {namespace} {self.tag} {self.owner}")


@dataclass(frozen=True)
class Extension:
    """An extension that the dump creates; without a schema it chooses its own."""

    name: str
    schema: str | None


@dataclass(frozen=True)
class Archive:
    """A dump's header and table of contents. Its data begins at byte `data_start`."""

    header: Header
    entries: tuple[Entry, ...] = field(repr=False)
    data_start: int
    integer_width: int = 4
    codec: str = UTF8
    """The encoding of names and definitions, by Python's name."""

    @cached_property
    def by_id(self) -> Mapping[int, Entry]:
        """The entries by dump id."""
        return {entry.dump_id: entry for entry in self.entries}

    @cached_property
    def settings(self) -> tuple[Entry, ...]:
        """The entries that pg_restore reads in any case (ReadToc)."""
        kinds = {"ENCODING", "STDSTRINGS", "SEARCHPATH"}
        return tuple(entry for entry in self.entries if entry.desc in kinds)

    @cached_property
    def with_data(self) -> tuple[Entry, ...]:
        """The entries that have a block of data, in the archive's order."""
        return tuple(entry for entry in self.entries if entry.had_data)

    @cached_property
    def extensions(self) -> tuple[Extension, ...]:
        """The extensions that the dump creates."""
        created = (e.definition for e in self.entries if e.desc == "EXTENSION")
        found = (CREATE_EXTENSION.search(definition) for definition in created)
        return tuple(
            Extension(unquoted(match[1]), unquoted(match[2]) if match[2] else None)
            for match in found
            if match
        )

    @cached_property
    def missing_schemas(self) -> frozenset[str]:
        """The schemas that the dump uses but does not create.

        Heroku's dumps put extensions into heroku_ext and leave the schema itself out.
        """
        used = {entry.namespace for entry in self.entries if entry.namespace}
        used |= {ext.schema for ext in self.extensions if ext.schema}
        created = {entry.tag for entry in self.entries if entry.desc == "SCHEMA"}
        built_in = {name for name in used if name == "public" or name[:3] == "pg_"}
        return frozenset(used - created - built_in)


def unquoted(identifier: str) -> str:
    """The name that an identifier stands for."""
    if identifier.startswith('"'):
        return identifier[1:-1].replace('""', '"')
    return identifier


def read(stream: BinaryIO, *, toc: bool = False) -> Archive:
    """Read the header and the table of contents from a stream at its start.

    `toc`: of a toc.dat, which has no data behind (pg_dump's directory and tar formats).

    Reads only little further than their end, so that a dump can be judged while it
    arrives; the stream's position afterwards is not promised. Raises
    NotADump, UnsupportedDump, TruncatedDump and DamagedDump.
    """
    fields = Fields(stream, "the header")
    header = read_header(fields, toc=toc)
    fields.where = "the table of contents"
    skip_place = _skip_file if toc else _skip_offset
    entries = _entries(fields, skip_place, with_relkind=header.version >= RELKIND)
    encodings = [entry.definition for entry in entries if entry.desc == "ENCODING"]
    codec = codec_of(encodings[0]) if encodings else UTF8
    if codec != UTF8:
        entries = tuple(_decoded(entry, codec) for entry in entries)
    return Archive(header, entries, fields.offset, fields.integer_width, codec)


def _decoded(entry: Entry, codec: str) -> Entry:
    return replace(
        entry,
        tag=decoded(entry.tag, codec),
        definition=decoded(entry.definition, codec),
        copy=decoded(entry.copy, codec),
        namespace=entry.namespace and decoded(entry.namespace, codec),
        owner=decoded(entry.owner, codec),
    )


def _entries(
    fields: Fields, skip_place: Callable[[Fields], None], *, with_relkind: bool
) -> tuple[Entry, ...]:
    start = fields.offset
    count = fields.integer()
    if count < 0:
        fields.damaged(f"{count} entries", start)
    entries: dict[int, Entry] = {}
    for _ in range(count):
        start = fields.offset
        entry = _entry(fields, skip_place, with_relkind=with_relkind)
        if entry.dump_id in entries:
            fields.damaged(f"a second entry {entry.dump_id}", start)
        entries[entry.dump_id] = entry
    return tuple(entries.values())


def _entry(
    fields: Fields, skip_place: Callable[[Fields], None], *, with_relkind: bool
) -> Entry:
    """Read one entry; the fields' order is that of WriteToc."""
    starts_at = fields.offset
    dump_id = _one_of(fields, "dump id")
    had_data = _one_of(fields, "had data", (0, 1))
    catalog, oid = fields.number(), fields.number()
    tag, desc = fields.text(), fields.shared_text()
    section = SECTIONS[_one_of(fields, "section", tuple(SECTIONS))]
    definition_at = fields.offset
    definition, _drop, copy = fields.text(), fields.text(), fields.text()
    namespace, tablespace = fields.shared_text(), fields.shared_text()
    access_method = fields.shared_text()
    if with_relkind:
        fields.integer()
    owner, _with_oids = fields.shared_text(), fields.text()
    dependencies = _dependencies(fields)
    place_at = fields.offset
    skip_place(fields)
    return Entry(
        dump_id=dump_id,
        had_data=bool(had_data),
        catalog=catalog or 0,
        oid=oid or 0,
        tag=tag or "",
        desc=desc or "",
        section=section,
        definition=definition or "",
        namespace=namespace,
        owner=owner or "",
        dependencies=dependencies,
        tablespace=tablespace or "",
        access_method=access_method or "",
        copy=copy or "",
        definition_at=definition_at,
        starts_at=starts_at,
        place_at=place_at,
        ends_at=fields.offset,
    )


def _one_of(fields: Fields, what: str, allowed: tuple[int, ...] = ()) -> int:
    start = fields.offset
    value = fields.integer()
    if value not in allowed if allowed else value <= 0:
        fields.damaged(f"an impossible {what} ({value})", start)
    return value


def _dependencies(fields: Fields) -> tuple[int, ...]:
    found = []
    while (dump_id := fields.number()) is not None:
        found.append(dump_id)
    return tuple(found)


def _skip_offset(fields: Fields) -> None:
    """Skip the offset of the data: a dump that was written through a pipe has none."""
    start = fields.offset
    state = fields.byte()
    if state not in OFFSET_STATES:
        fields.damaged(f"an impossible state of an offset ({state})", start)
    fields.take(fields.offset_width)


def _skip_file(fields: Fields) -> None:
    """Skip the name of the file with the data."""
    fields.text()
