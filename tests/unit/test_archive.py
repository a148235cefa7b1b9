from __future__ import annotations

import contextlib
import gzip
import io
import re
import tracemalloc
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dbpull import archive
from dbpull.archive.encodings import UTF8, codec_of
from dbpull.errors.archive import (
    BadDump,
    DamagedDump,
    NotADump,
    TruncatedDump,
    UnsupportedDump,
)
from made_dumps import Made

made = Made()
TWO_TABLES = made.toc(made.entry(1, "ores"), made.entry(2, "orders"))


def walk(data: bytes) -> list[archive.Block]:
    stream = io.BytesIO(data)
    return archive.verify(stream, archive.read(stream))


@pytest.mark.parametrize("minor", [14, 15, 16])
@pytest.mark.parametrize("width", [4, 8])
@pytest.mark.parametrize("offset_width", [4, 8])
def test_every_version_and_width_is_read(
    minor: int, width: int, offset_width: int
) -> None:
    made = Made(minor, width, offset_width)
    data = made.toc(made.entry(3, "käse"), made.entry(4, "x", "BLOBS"))
    data += made.block(3, b"rows", b"more") + made.large_objects(4, o9=b"picture")

    contents = archive.read(io.BytesIO(data))
    blocks = walk(data)

    assert contents.header.version == (1, minor, 0)
    assert contents.header.created.isoformat() == "2024-12-31T23:59:59"
    assert (contents.header.server_version, contents.header.dump_version) == (
        "15.1",
        "15.2",
    )
    assert contents.by_id[3].line == "3; 1259 16385 TABLE DATA public käse me"
    assert contents.by_id[3].dependencies == (7,)
    assert [block.kind for block in blocks] == ["data", "large objects"]
    assert (blocks[0].start, blocks[-1].end) == (contents.data_start, len(data))


@pytest.mark.parametrize(
    ("minor", "number", "name"),
    [
        (14, 0, "none"),
        (14, 1, "gzip"),
        (15, 0, "none"),
        (16, 1, "gzip"),
        (16, 2, "lz4"),
        (16, 3, "zstd"),
    ],
)
def test_the_compression_is_named(minor: int, number: int, name: str) -> None:
    made = Made(minor)

    contents = archive.read(io.BytesIO(made.header(number) + made.integer(0)))

    assert contents.header.compression == name


@pytest.mark.parametrize(
    ("definition", "extension"),
    [
        ("CREATE EXTENSION IF NOT EXISTS citext WITH SCHEMA heroku_ext;", "heroku_ext"),
        ('CREATE EXTENSION IF NOT EXISTS "citext" WITH SCHEMA "he ""x";', 'he "x'),
        ("CREATE EXTENSION citext;", None),
    ],
)
def test_extensions_are_known(definition: str, extension: str | None) -> None:
    data = made.toc(made.entry(1, "citext", "EXTENSION", definition))

    contents = archive.read(io.BytesIO(data))

    assert contents.extensions == (archive.Extension("citext", extension),)
    assert contents.missing_schemas == ({extension} if extension else set())


def test_a_schema_that_the_dump_creates_is_not_missing() -> None:
    create = "CREATE EXTENSION citext WITH SCHEMA heroku_ext;"
    data = made.toc(
        made.entry(1, "heroku_ext", "SCHEMA"),
        made.entry(2, "citext", "EXTENSION", create),
    )

    assert archive.read(io.BytesIO(data)).missing_schemas == frozenset()


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (b"", "empty"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code>", "AccessDenied"),
        (b"\n<Error>", "the download host answered with an error document"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"<HTML>", "web page"),
        (b"--\n-- PostgreSQL database dump\n--\n", "plain SQL"),
        (b"\\restrict x\n", "plain SQL"),
        (b"SET statement_timeout = 0;", "plain SQL"),
        (b"-- MySQL dump 10.13  Distrib 8.0.36\n--\n", "it is MySQL's"),
        (b"/*M!999999\\- enable */\n-- MariaDB dump 10.19\n", "it is MariaDB's"),
        (b"SQLite format 3\0\x10", "it is SQLite's, which PostgreSQL does not read"),
        (b"\x1f\x8b\x08\x00", "packed with gzip"),
        (b"\x28\xb5\x2f\xfd", "packed with zstd"),
        (b"PK\x03\x04", "packed with zip"),
        (b"PGDMX", "first bytes are not PGDMP"),
        (b"\x00" * 600, "first bytes are not PGDMP"),
    ],
)
def test_what_is_no_dump_is_named(first: bytes, said: str) -> None:
    with pytest.raises(NotADump, match=said):
        archive.recognise(first)
    with pytest.raises(NotADump, match=said):
        archive.read(io.BytesIO(first))


GZIPPED_SQL = gzip.compress(b"SET x = 0;", mtime=0)
GZIPPED_DUMP = gzip.compress(b"PGDMP", mtime=0)


@pytest.mark.parametrize(
    ("name", "content", "cause", "remedy"),
    [
        ("x.sql", b"SET statement_timeout = 0;", "plain SQL", "psql -d .* -f x.sql"),
        ("all.sql", b"--\n-- PostgreSQL database cluster dump\n--", "dumpall", "psql"),
        (
            "x.sql.gz",
            GZIPPED_SQL,
            "gzip, plain SQL",
            "gunzip -c.*psql",
        ),
        ("x.gz", GZIPPED_DUMP, "gzip, a dump inside", "gunzip -c x.gz"),
        ("x.zip", b"PK\x03\x04 and so on", "packed with zip", "unzip -p x.zip"),
        ("x.zst", b"\x28\xb5\x2f\xfd", "packed with zstd", "unzstd -c x.zst"),
        ("x.xz", b"\xfd7zXZ", "packed with xz", "unxz -c x.xz"),
        ("x.gpg", b"\x85\x02\x0c\x03", "encrypted with gpg", "gpg -d x.gpg"),
        ("x.asc", b"-----BEGIN PGP MESSAGE-----", "with gpg", "gpg -d x.asc"),
        ("the dump", b"\x8c\x0d\x04", "with gpg", "curl -s URL . gpg -d"),
    ],
)
def test_what_helps_with_a_file_that_is_no_dump_is_told(
    name: str, content: bytes, cause: str, remedy: str
) -> None:
    with pytest.raises(NotADump, match=cause) as caught:
        archive.recognise(content, name)

    assert re.search(remedy, str(caught.value))
    assert "remove" not in str(caught.value)


def test_other_formats_are_refused_by_name() -> None:
    tar = b"toc.dat".ljust(257, b"\0") + b"ustar\0".ljust(300, b"\0")
    with pytest.raises(UnsupportedDump, match="tar file"):
        archive.read(io.BytesIO(tar))
    with pytest.raises(UnsupportedDump, match=r"toc\.dat of a directory"):
        archive.read(
            io.BytesIO(made.header().replace(b"\x04\x08\x01", b"\x04\x08\x03"))
        )


@pytest.mark.parametrize(
    ("minor", "said"), [(17, "newer"), (13, "older"), (255, "newer")]
)
def test_other_versions_are_refused_with_the_version(minor: int, said: str) -> None:
    with pytest.raises(UnsupportedDump, match=f"1.{minor}.*{said}") as caught:
        archive.read(io.BytesIO(Made(minor).header()))

    assert caught.value.version == (1, minor, 0)


def test_five_bytes_are_enough_to_go_on() -> None:
    archive.recognise(b"PGDMP")


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_fewer_bytes_are_a_cut_dump(count: int) -> None:
    with pytest.raises(TruncatedDump, match=f"ends at byte {count}"):
        archive.recognise(b"PGDMP"[:count])


def test_an_absurd_length_takes_no_memory() -> None:
    absurd = made.header() + made.integer(1) + made.integer(1) + made.integer(0)
    absurd += made.integer(2**31 - 1) + bytes(100_000)
    tracemalloc.start()

    with pytest.raises(DamagedDump, match=r"2147483647 bytes in the table of contents"):
        archive.read(io.BytesIO(absurd))

    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


def test_an_absurd_number_of_entries_is_a_cut_dump() -> None:
    with pytest.raises(TruncatedDump, match="within the table of contents"):
        archive.read(io.BytesIO(made.header() + made.integer(2**31 - 1)))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            made.block(1),
            "1 blocks are missing, the first within the data of public.ord",
        ),
        (
            made.block(1) + made.block(2, b"rows")[:-1],
            "within the data of public.orders",
        ),
        (made.block(1, b"x" * 99)[:-60], "within the data of public.ores"),
        (b"", "2 blocks are missing"),
    ],
)
def test_a_cut_is_told_with_the_table(data: bytes, said: str) -> None:
    whole = TWO_TABLES + data
    with pytest.raises(TruncatedDump, match=said) as caught:
        walk(whole)

    assert caught.value.offset == len(whole)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (made.block(1) * 2, "a block of entry 1"),
        (made.block(9), "a block of entry 9"),
        (b"\x07", "byte 7 where a block should begin"),
        (b"\x01" + made.integer(1) + made.integer(-5), "a negative length"),
        (b"\x01" + made.integer(-1), "a negative number"),
    ],
)
def test_damage_is_told_with_its_place(data: bytes, said: str) -> None:
    with pytest.raises(DamagedDump, match=said) as caught:
        walk(TWO_TABLES + data)

    assert caught.value.offset >= len(TWO_TABLES)


@pytest.mark.parametrize(
    "behind", [b"\0", b"\n", bytes(600), b"\x01\x01", made.block(2), TWO_TABLES]
)
def test_what_lies_behind_the_last_block_is_not_looked_at(behind: bytes) -> None:
    data = TWO_TABLES + made.block(1) + made.block(2, b"rows")

    assert walk(data + behind) == walk(data)
    assert walk(made.toc() + behind) == []


@pytest.mark.parametrize(
    ("tail", "whole"),
    [
        (made.block(2, b"rows"), True),
        (b"s" * 9 + made.block(1, b"\1" + made.integer(2)) + made.block(2), True),
        (made.block(1, b"rows"), False),
        (made.block(1, made.block(2)), False),
        (made.block(2, b"rows")[:-1], False),
        (made.block(2, b"rows") + b"\n", False),
        (made.block(2, b"rows" * 9)[-20:], False),
        (b"", False),
    ],
)
def test_the_last_bytes_tell_whether_a_dump_is_whole(tail: bytes, whole: bool) -> None:
    contents = archive.read(io.BytesIO(TWO_TABLES))

    assert archive.ends_whole(tail, contents) is whole


def test_the_last_bytes_tell_it_of_large_objects_too() -> None:
    objects = made.toc(made.entry(3, "BLOBS", "BLOBS"))
    tail = made.large_objects(3, o1=b"x", o2=b"yz")

    assert archive.ends_whole(tail, archive.read(io.BytesIO(objects)))


def test_an_object_id_beyond_two_billion_is_no_damage() -> None:
    """C writes such an oid as a negative int."""
    held = b"\x01" + (2**32 - 4_000_000_000).to_bytes(4, "little") + made.chunks([b"x"])
    block = b"\x03" + made.integer(1) + held + made.integer(0)

    assert walk(made.toc(made.entry(1, "BLOBS", "BLOBS")) + block)[0].end


def test_the_same_dump_id_twice_is_damage() -> None:
    with pytest.raises(DamagedDump, match="a second entry 1"):
        walk(made.toc(made.entry(1, "a"), made.entry(1, "b")))


class Trickle(io.BytesIO):
    """A dump that is still arriving: each read gives what came since, a few bytes."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return self.read(7)


def test_a_block_is_known_before_the_next_one_arrives() -> None:
    data = TWO_TABLES + made.block(1, b"rows" * 9) + made.block(2, b"more" * 99)
    stream = Trickle(data)
    contents = archive.read(stream)

    first = next(archive.blocks(stream, contents))

    assert first == archive.Block(1, len(TWO_TABLES), first.end, "data")
    assert stream.tell() <= first.end + 7


@pytest.mark.parametrize(
    ("encoding", "codec", "name"),
    [
        ("UTF8", "utf-8", "Straße"),
        ("LATIN1", "latin-1", "Straße"),
        ("LATIN9", "iso8859-15", "Preis in €"),
        ("WIN1252", "cp1252", "Preis in €"),
        ("WIN1251", "cp1251", "люди"),
        ("KOI8R", "koi8-r", "люди"),
        ("ISO_8859_5", "iso8859-5", "люди"),
        ("EUC_JP", "euc_jp", "顧客"),
        ("SJIS", "cp932", "顧客"),
        ("EUC_KR", "euc_kr", "고객"),
        ("EUC_CN", "gb2312", "客户"),
        ("GB18030", "gb18030", "客户"),
        ("SQL_ASCII", "utf-8", "Straße"),
        ("MULE_INTERNAL", "utf-8", "Straße"),
    ],
)
def test_names_are_read_in_the_encoding_of_the_dump(
    encoding: str, codec: str, name: str
) -> None:
    there = "XXXX"
    sets = made.entry(1, "ENCODING", "ENCODING", f"SET client_encoding = '{encoding}';")
    create = f"CREATE INDEX {there};"
    data = made.header() + made.integer(2) + sets + made.entry(2, there, "X", create)
    raw, length = name.encode(codec), len(create) - len(there)
    data = data.replace(
        made.integer(len(there)) + b"XXXX", made.integer(len(raw)) + raw
    )
    data = data.replace(
        made.integer(len(create)) + create.encode(),
        made.integer(length + len(raw)) + create.encode().replace(b"XXXX", raw),
    )

    read = archive.read(io.BytesIO(data))
    changed = b"".join(
        archive.excerpt(io.BytesIO(data), read, [read.by_id[2]], f"SELECT '{name}';")
    )

    assert read.by_id[2].tag == name
    assert read.by_id[2].definition == f"CREATE INDEX {name};"
    assert f"SELECT '{name}';".encode(codec) in changed
    assert archive.read(io.BytesIO(changed)).by_id[2].definition == f"SELECT '{name}';"


def test_names_that_are_not_utf_8_survive() -> None:
    data = made.toc(made.entry(1, "kase", "TABLE")).replace(b"kase", b"k\xe4se")

    (entry,) = archive.read(io.BytesIO(data)).entries

    assert entry.tag.encode("utf-8", "surrogateescape") == b"k\xe4se"
    assert archive.unknown(entry.tag)


def test_errors_name_the_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("dumps") / "b101.dump"
    path.write_bytes(TWO_TABLES)

    with path.open("rb") as stream, pytest.raises(TruncatedDump, match=r"b101\.dump"):
        archive.verify(stream, archive.read(stream))


def test_a_name_that_a_python_read_as_ascii_is_told_as_it_is() -> None:
    stream = io.BytesIO(b"PNG")
    stream.name = "gr\udcc3\udcb6\udcc3\udc9fe.png"

    with pytest.raises(NotADump, match=r"größe\.png is no dump"):
        archive.read(stream)


@given(st.lists(st.binary(min_size=1, max_size=9000), max_size=9), st.integers(1, 7000))
def test_chunks_may_lie_across_pieces(chunks: list[bytes], size: int) -> None:
    data = TWO_TABLES + made.block(1, *chunks) + made.block(2, *chunks)

    class Pieces(io.BytesIO):
        def read1(self, _size: int | None = -1, /) -> bytes:
            return self.read(size)

    stream = Pieces(data)
    blocks = archive.verify(stream, archive.read(stream))

    assert [b.end - b.start for b in blocks] == [len(made.block(1, *chunks))] * 2


@given(st.data())
def test_any_flipped_byte_is_answered_in_words(data: st.DataObject) -> None:
    whole = bytearray(TWO_TABLES + made.block(1, b"rows") + made.block(2, b"more"))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))

    with contextlib.suppress(BadDump):
        stream = io.BytesIO(whole)
        contents = archive.read(stream)
        assert len(archive.verify(stream, contents)) == len(contents.with_data)


# Contents with some entries only


@pytest.mark.parametrize("minor", [14, 15, 16])
@pytest.mark.parametrize("width", [4, 8])
def test_an_excerpt_is_what_a_dump_of_these_entries_would_begin_with(
    minor: int, width: int
) -> None:
    by = Made(minor, width)
    settings = by.entry(9, "ENCODING", "ENCODING", "SET client_encoding = 'UTF8';")
    there = [
        by.entry(one, f"t{one}", "INDEX", f"CREATE INDEX «{one}»;") for one in (1, 2, 3)
    ]
    contents = io.BytesIO(by.toc(settings, *there))
    read = archive.read(contents)
    wanted = [read.by_id[3], read.by_id[1]]

    some, every, other = (
        b"".join(archive.excerpt(contents, read, *chosen))
        for chosen in ([wanted], [read.entries], [[read.by_id[2]], "SELECT 'ä';"])
    )

    assert some == by.toc(settings, there[0], there[2])
    assert other == by.toc(settings, by.entry(2, "t2", "INDEX", "SELECT 'ä';"))
    assert every == contents.getvalue()


@pytest.mark.parametrize("definition", ["", "SELECT 1;"])
def test_an_excerpt_of_rows_may_have_another_copy(definition: str) -> None:
    entry = partial(made.entry, 1, "a", "TABLE DATA", definition)
    contents = io.BytesIO(
        made.toc(entry(copy="COPY «a» FROM stdin;\n"), made.entry(2, "b"))
    )
    read = archive.read(contents)

    other = archive.excerpt(contents, read, [read.by_id[1]], "COPY «a» WITH (FREEZE);")

    assert b"".join(other) == made.toc(entry(copy="COPY «a» WITH (FREEZE);"))


def test_a_definition_that_is_not_where_it_was_read_is_refused() -> None:
    there = [made.entry(n, f"t{n}", "INDEX", "CREATE INDEX one;") for n in (1, 2)]
    contents = made.toc(*there)
    read = archive.read(io.BytesIO(contents))
    other = io.BytesIO(contents.replace(b"one", b"two"))

    with pytest.raises(ValueError, match="entry 1 is not defined at byte"):
        list(archive.excerpt(other, read, [read.by_id[1]], ""))


@pytest.mark.parametrize("name", ["EUC_TW", "\udcd5TF8", "UTF8\0", "HEX", "UNDEFINED"])
def test_an_encoding_that_is_unknown_or_damaged_is_read_as_utf8(name: str) -> None:
    assert codec_of(f"SET client_encoding = '{name}';\n") == UTF8
