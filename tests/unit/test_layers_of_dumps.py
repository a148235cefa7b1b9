"""What may be around a dump: taken off by first bytes, refused where it is broken."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Callable
from functools import partial

import pytest

from dbpull import layers
from dbpull.archive import recognise
from dbpull.errors.archive import BadDump, DamagedLayer, NotADump, PhysicalBackup
from dbpull.layers import ManyFiles, OneFile
from packings import tarred

gzipped = partial(gzip.compress, mtime=0)
DUMP = b"PGDMP" + bytes(range(256)) * 400
TOC = b"PGDMP\x01\x10\x00\x04\x08\x03 and so on"
FOLDER = tarred(("x/12.dat.gz", b"rows"), ("x/toc.dat", TOC), ("x/blobs_3.toc", b""))
OWN = tarred(("toc.dat", TOC), ("12.dat", b"rows"), ("restore.sql", b"--"))


def taken_off(content: bytes) -> bytes | dict[str, bytes]:
    """What is inside, read to the end of each layer."""
    found = layers.opened(io.BytesIO(content), "x.tgz")
    inside: bytes | dict[str, bytes]
    if isinstance(found, OneFile):
        inside = found.stream.read()
    else:
        assert isinstance(found, ManyFiles)
        inside = {name: stream.read() for name, stream in found.files}
    found.finish()
    return inside


def linked(kind: bytes) -> bytes:
    """A tar with a link of a data file's name to a file elsewhere."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        link = tarfile.TarInfo("x/12.dat")
        link.type, link.linkname = kind, "/etc/passwd"
        tar.addfile(link)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "inside"),
    [
        (DUMP, DUMP),
        (gzipped(DUMP), DUMP),
        (gzipped(gzipped(DUMP)), DUMP),
        (gzipped(DUMP[:300]) + gzipped(DUMP[300:]), DUMP),
        (tarred(("x.dump", DUMP)), DUMP),
        (tarred(("read.me", b"x"), ("a/b.pgsql", DUMP), ("c", b"")), DUMP),
        (gzipped(tarred(("backup/export", DUMP))), DUMP),
        (OWN, OWN),
        (gzipped(OWN), OWN),
        (FOLDER, {"12.dat.gz": b"rows", "toc.dat": TOC, "blobs_3.toc": b""}),
        (
            gzipped(tarred(("toc.dat.md5", b"x"), ("./toc.dat", TOC))),
            {"toc.dat": TOC},
        ),
    ],
)
def test_what_is_around_a_dump_is_taken_off(
    content: bytes, inside: bytes | dict[str, bytes]
) -> None:
    assert taken_off(content) == inside


@pytest.mark.parametrize("pack", [gzipped, lambda dump: tarred(("x", dump))])
def test_a_layer_that_is_cut_anywhere_is_refused(
    pack: Callable[[bytes], bytes],
) -> None:
    """But behind the dump in a tar, where only zeros follow."""
    whole = pack(DUMP)
    end = len(whole) if whole[:2] == b"\x1f\x8b" else 512 + len(DUMP)
    for cut in range(5, end, end // 40):
        with pytest.raises(BadDump):
            taken_off(whole[:cut])


def test_a_changed_byte_in_a_gzip_is_found() -> None:
    whole = gzipped(DUMP)
    for at in range(12, len(whole), len(whole) // 40):
        changed = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        with pytest.raises(BadDump):
            taken_off(changed)


def test_a_damaged_layer_is_told_by_its_name() -> None:
    with pytest.raises(DamagedLayer, match=r"x\.tgz is cut short or damaged"):
        taken_off(gzipped(DUMP)[:-4])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (gzipped(b""), "it is empty"),
        (gzipped(b"SET x = 1;"), "plain SQL"),
        (gzipped(b"\x85\x02\x0c\x03"), "encrypted with gpg"),
        (b"<html>", "web page"),
        (tarred(("readme", b"x")), "a tar file without a dump in it"),
        (tarred(("a", DUMP), ("b", DUMP)), "several dumps"),
        (tarred(("a/toc.dat", TOC), ("b/toc.dat", TOC)), "several dumps"),
        (tarred(("PG_VERSION", b"16\n")), "a physical backup"),
        (tarred(("./base/1/2", b"x"), ("./backup_label", b"")), "a physical backup"),
        (gzipped(tarred(("base.tar.gz", b""))), "a physical backup"),
        (tarred(("../12.dat", b"rows")), r"\.\./12\.dat, which is no plain file"),
        (tarred(("/12.dat", b"rows")), "/12.dat, which is no plain file"),
        (linked(tarfile.SYMTYPE), "x/12.dat, which is no plain file"),
        (linked(tarfile.LNKTYPE), "x/12.dat, which is no plain file"),
        (linked(tarfile.FIFOTYPE), "x/12.dat, which is no plain file"),
    ],
)
def test_what_is_no_dump_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(BadDump, match=said) as caught:
        taken_off(content)

    assert caught.value.remedy


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (DUMP, None),
        (gzipped(DUMP), None),
        (FOLDER, None),
        (b"SET x = 1;" + DUMP, NotADump),
        (gzipped(b"SET x = 1;" + DUMP), NotADump),
        (tarred(("PG_VERSION", b"16\n")), PhysicalBackup),
        (gzipped(tarred(("data/PG_VERSION", DUMP))), PhysicalBackup),
    ],
)
def test_the_first_bytes_tell_what_will_be_refused(
    content: bytes, error: type[BadDump] | None
) -> None:
    first = content[:512]
    if error is None:
        layers.judge(first, recognise, "x")
    else:
        with pytest.raises(error):
            layers.judge(first, recognise, "x")


def test_pg_dumps_own_tar_is_no_layer() -> None:
    assert not layers.is_packed(DUMP[:512])
    assert layers.is_packed(FOLDER[:512])
    assert not layers.is_packed(OWN[:512])
