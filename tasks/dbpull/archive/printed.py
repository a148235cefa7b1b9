"""A table of contents as pg_restore prints it: of a dump that is not read here.

A listing (`pg_restore -l`) tells what there is, in the dump's order, and three others
(`--section=…`) in which section; the script (`pg_restore --verbose --schema-only -f -`)
tells the definitions and what depends on what. Source: PrintTOCSummary and
_printTocEntry in src/bin/pg_dump/pg_backup_archiver.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from dbpull.archive.header import Header
from dbpull.archive.toc import Archive, Entry

SECTIONS = ("pre-data", "data", "post-data")
_LISTED = re.compile(r"(\d+); (\d+) (\d+) (.*)")
# Of the kinds that a script of definitions leaves out, those that are several words.
_KINDS = re.compile(
    r"(TABLE DATA|SEQUENCE SET|BLOB METADATA|MATERIALIZED VIEW DATA|STATISTICS DATA"
    r"|SECURITY LABEL|DEFAULT ACL|[^ ]+) (.*)"
)
_HEAD = re.compile(
    r"^--\n-- TOC entry (\d+) \(class \d+ OID \d+\)\n(?:-- Dependencies:([ \d]*)\n)?"
    r"-- (?:Data for )?Name: (.*); Type: (.*); Schema: (.*); Owner: .*\n(?:--.*\n)*",
    re.M,
)
_HAS_ROWS = {"TABLE DATA", "BLOBS"}
_TABLE = 1259  # pg_class, whose oid never changes


@dataclass(frozen=True)
class _Told:
    """What the script tells of an entry."""

    dependencies: tuple[int, ...]
    tag: str
    desc: str
    namespace: str | None
    definition: str


def parse(listing: str, by_section: Mapping[str, str], script: str) -> Archive:
    """Make of it what `read` makes of a dump; where its data begins stays unknown."""
    told = dict(_told(script))
    sections = {
        found[1]: section
        for section in SECTIONS
        for found in _lines(by_section[section])
    }
    entries = [
        _entry(found, sections.get(found[1], "none"), told) for found in _lines(listing)
    ]
    of_table = {e.oid: e for e in entries if e.catalog == _TABLE and e.desc == "TABLE"}
    rows = (_of_its_table(entry, of_table) for entry in entries)
    return Archive(_header(listing), tuple(rows), 0)


def _lines(listing: str) -> Iterator[re.Match[str]]:
    for line in listing.splitlines():
        if found := _LISTED.fullmatch(line):
            yield found


def _told(script: str) -> Iterator[tuple[int, _Told]]:
    heads = list(_HEAD.finditer(script))
    ends = [head.start() for head in heads[1:]] + [len(script)]
    for head, end in zip(heads, ends, strict=True):
        dump_id, needs, tag, desc, schema = head.groups()
        yield (
            int(dump_id),
            _Told(
                tuple(map(int, (needs or "").split())),
                tag,
                desc,
                None if schema == "-" else schema,
                script[head.end() : end].strip(),
            ),
        )


def _entry(found: re.Match[str], section: str, told: Mapping[int, _Told]) -> Entry:
    dump_id, catalog, oid = (int(found[n]) for n in (1, 2, 3))
    known = told.get(dump_id) or _of_line(found[4], told)
    return Entry(
        dump_id=dump_id,
        had_data=known.desc in _HAS_ROWS,
        catalog=catalog,
        oid=oid,
        tag=known.tag,
        desc=known.desc,
        section=section,
        definition=known.definition,
        namespace=known.namespace,
        owner="",
        dependencies=known.dependencies,
    )


def _of_line(text: str, told: Mapping[int, _Told]) -> _Told:
    """Kind, schema, name and owner; names are not quoted, and may hold spaces."""
    match = _KINDS.fullmatch(text)
    desc, names = match.groups() if match else (text, "")
    schemas = {one.namespace for one in told.values() if one.namespace}
    fitting = [one for one in schemas if names.startswith(f"{one} ")]
    namespace = max(fitting, key=len, default=None)
    tag = names.removeprefix(f"{namespace or '-'} ").rpartition(" ")[0]
    return _Told((), tag, desc, namespace, "")


def _of_its_table(entry: Entry, tables: Mapping[int, Entry]) -> Entry:
    """Its rows have a table's names, whatever characters those are of."""
    table = tables.get(entry.oid) if entry.desc == "TABLE DATA" else None
    if not table:
        return entry
    return replace(
        entry,
        tag=table.tag,
        namespace=table.namespace,
        dependencies=(table.dump_id,),
    )


def _header(listing: str) -> Header:
    facts = dict(re.findall(r"^; +([A-Za-z][^:\n]*): (.*)$", listing, re.M))
    first, second = re.findall(r"\d+", facts.get("Dump Version", "0.0"))[:2]
    packed = facts.get("Compression", "none")
    return Header(
        (int(first), int(second), 0),
        "gzip" if packed.lstrip("-").isdigit() else packed,
        datetime.min,
        dbname=facts.get("dbname", ""),
        server_version=facts.get("Dumped from database version", ""),
        dump_version=facts.get("Dumped by pg_dump version", ""),
        tar=facts.get("Format") == "TAR",
    )
