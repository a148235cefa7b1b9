"""Packed rows of pg_dump's directory format as those of its custom format."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from dbpull.archive import from_folder
from dbpull.errors.archive import TruncatedDump

ROWS = {
    "empty": b"",
    "short": b"\\.\n\n\n",
    "alike": b"0" * 40_000_000,
    "random": random.Random(1).randbytes(3_000_000),
}


def converted(packed: bytes, size: int = from_folder.PIECE) -> list[bytes]:
    """The pieces of a zlib stream, from a file that is read in pieces of some size."""
    pieces = (packed[at : at + size] for at in range(0, len(packed), size))
    return list(from_folder.zlib_pieces(pieces, "12.dat.gz"))


@pytest.mark.parametrize("rows", ROWS.values(), ids=ROWS)
def test_rows_are_packed_as_before_and_have_their_checksum(rows: bytes) -> None:
    packed = gzip.compress(rows, 1)

    pieces = converted(packed)

    assert zlib.decompress(b"".join(pieces)) == rows
    assert max(map(len, pieces)) <= from_folder.PIECE


@pytest.mark.parametrize("size", [1, 7, 9, 11, 19])
def test_rows_are_packed_alike_however_their_file_grows(size: int) -> None:
    rows = ROWS["random"][:100]
    packed = gzip.compress(rows, 1)

    assert zlib.decompress(b"".join(converted(packed, size))) == rows
    with pytest.raises(TruncatedDump):
        converted(packed[:-9], size)


@pytest.mark.parametrize("left", [0, 5, 18, 30, 1_000_000])
def test_rows_that_are_cut_are_told(left: int) -> None:
    packed = gzip.compress(ROWS["random"], 1)
    with pytest.raises(TruncatedDump):
        converted(packed[:left])
