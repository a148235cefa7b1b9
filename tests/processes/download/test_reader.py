"""The reader of a dump that is still arriving."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from dbpull.errors.download import DownloadStopped, NothingThere
from downloads import CONTENT, download, unverified
from range_server import RangeServer, after, hang, status


def test_a_reader_waits_for_what_is_not_there_yet(
    server: RangeServer, path: Path
) -> None:
    server.pace = 0.005
    with download(server, path) as coming:
        coming.start()
        with coming.reader() as dump:
            dump.seek(-9, os.SEEK_END)
            end = dump.read()
            dump.seek(0)

            assert (dump.read(), end) == (CONTENT, CONTENT[-9:])
            assert dump.name.endswith("b101.dump.part")


def test_a_reader_outlives_the_rename(server: RangeServer, path: Path) -> None:
    with download(server, path) as coming:
        coming.start()
        with coming.reader() as early:
            coming.finish(unverified)

            assert early.read() == CONTENT
        with coming.reader() as late:
            assert late.read() == CONTENT


def test_a_reader_that_is_opened_while_the_file_is_renamed_finds_it(
    server: RangeServer, path: Path
) -> None:
    with download(server, path) as coming:
        coming.start()
        coming.wait()
        path.with_name(f"{path.name}.part").rename(path)

        with coming.reader() as dump:
            assert dump.read() == CONTENT


def test_a_reader_raises_what_the_download_raises(
    server: RangeServer, path: Path
) -> None:
    server.faults = [after(3, status(404))]
    with download(server, path) as coming:
        coming.start()
        with coming.reader() as dump, pytest.raises(NothingThere):
            dump.read()


def test_a_reader_is_woken_when_the_download_is_left(
    server: RangeServer, path: Path
) -> None:
    server.faults = [after(3, hang)]
    errors: list[BaseException] = []

    def read(dump: BinaryIO) -> None:
        try:
            dump.read()
        except DownloadStopped as error:
            errors.append(error)

    with download(server, path) as coming:
        coming.start()
        dump = coming.reader()
        waiting = threading.Thread(target=read, args=(dump,))
        waiting.start()
    waiting.join(10)
    dump.close()

    assert len(errors) == 1
