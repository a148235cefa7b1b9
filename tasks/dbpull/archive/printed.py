"""The table of contents that pg_restore prints, of a dump in a format not read here.

A listing (`pg_restore -l`) tells the entries in the dump's order, and one listing per
section (`--section=…`) their sections; the script (`pg_restore --verbose --schema-only
-f -`) tells definitions and dependencies. Source: PrintTOCSummary and
_printTocEntry in src/bin/pg_dump/pg_backup_archiver.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from dbpull.archive.header import Header
from dbpull.archive.toc import Archive, Entry

SECTIONS = ("pre-data", "data", "post-data")
_LISTED = re.compile(r"(\d+); (\d+) (\d+) (.*)")
# The kinds of several words that the script leaves out.
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


def parse(listing: str, by_section: Mapping[str, str], script: str) -> Archive:
    """Read an archive from pg_restore's output; its `data_start` stays unknown (0)."""
    described = {entry.dump_id: entry for entry in _descriptions(script)}
    sections = {
        found[1]: section
        for section in SECTIONS
        for found in _lines(by_section[section])
    }
    entries = [
        _entry(found, sections.get(found[1], "none"), described)
        for found in _lines(listing)
    ]
    of_table = {e.oid: e for e in entries if e.catalog == _TABLE and e.desc == "TABLE"}
    rows = (_of_its_table(entry, of_table) for entry in entries)
    return Archive(_header(listing), tuple(rows), 0)


def _lines(listing: str) -> Iterator[re.Match[str]]:
    for line in listing.splitlines():
        if found := _LISTED.fullmatch(line):
            yield found


def _descriptions(script: str) -> Iterator[Entry]:
    """The entries that a script describes, without the fields of listings alone."""
    heads = list(_HEAD.finditer(script))
    ends = [head.start() for head in heads[1:]] + [len(script)]
    for head, end in zip(heads, ends, strict=True):
        dump_id, needs, tag, desc, schema = head.groups()
        namespace = None if schema == "-" else schema
        definition = script[head.end() : end].strip()
        dependencies = tuple(map(int, (needs or "").split()))
        yield _described(int(dump_id), tag, desc, namespace, definition, dependencies)


def _described(
    dump_id: int,
    tag: str,
    desc: str,
    namespace: str | None,
    definition: str = "",
    dependencies: tuple[int, ...] = (),
) -> Entry:
    return Entry(
        dump_id=dump_id,
        had_data=desc in _HAS_ROWS,
        catalog=0,
        oid=0,
        tag=tag,
        desc=desc,
        section="none",
        definition=definition,
        namespace=namespace,
        owner="",
        dependencies=dependencies,
    )


def _entry(found: re.Match[str], section: str, described: Mapping[int, Entry]) -> Entry:
    dump_id, catalog, oid = (int(found[n]) for n in (1, 2, 3))
    known = described.get(dump_id) or _of_line(dump_id, found[4], described)
    return replace(known, catalog=catalog, oid=oid, section=section)


def _of_line(dump_id: int, text: str, described: Mapping[int, Entry]) -> Entry:
    """The entry in a listing's line: kind, schema, name and owner.

    Names are not quoted there, and may hold spaces.
    """
    match = _KINDS.fullmatch(text)
    desc, names = match.groups() if match else (text, "")
    schemas = {entry.namespace for entry in described.values() if entry.namespace}
    matching = [schema for schema in schemas if names.startswith(f"{schema} ")]
    namespace = max(matching, key=len, default=None)
    tag = names.removeprefix(f"{namespace or '-'} ").rpartition(" ")[0]
    return _described(dump_id, tag, desc, namespace)


def _of_its_table(entry: Entry, tables: Mapping[int, Entry]) -> Entry:
    """The entry of rows with its table's names, which may hold any characters."""
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
