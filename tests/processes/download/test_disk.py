"""A disk or a folder that can't take the dump is told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dbpull.download import part
from dbpull.errors.download import CannotStore
from downloads import failure, left
from lacking import need_mounts
from range_server import RangeServer


def test_a_disk_without_room_is_told_before(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(part, "MARGIN", 10**18)

    error = failure(server, path)

    assert isinstance(error, CannotStore)
    assert "are needed there" in str(error)
    assert len(server.log) == 1


def test_a_full_disk_is_told_and_the_part_is_kept(
    server: RangeServer, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.parent.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(path.parent)]
    need_mounts()
    subprocess.run(mount, check=True)
    monkeypatch.setattr(part, "MARGIN", -(10**9))
    try:
        error = failure(server, path)
        kept = left(path)
    finally:
        subprocess.run(["umount", str(path.parent)], check=True)

    assert "the disk is full" in str(error)
    assert kept == {"b101.dump.part", "b101.dump.part.journal"}


def test_a_folder_that_can_not_be_written_is_told(
    server: RangeServer, path: Path
) -> None:
    path.parent.mkdir(mode=0o500)
    us = os.geteuid()
    if us == 0:  # root may write anywhere
        os.seteuid(65534)
    try:
        error = failure(server, path)
    finally:
        os.seteuid(us)

    assert "permission denied" in str(error)


def test_a_folder_that_is_a_file_is_told(server: RangeServer, path: Path) -> None:
    path.parent.touch()

    assert isinstance(failure(server, path), CannotStore)


def test_a_part_that_is_a_link_is_not_followed(server: RangeServer, path: Path) -> None:
    path.parent.mkdir()
    path.with_name("b101.dump.part").symlink_to(path.parent / "elsewhere")

    assert isinstance(failure(server, path), CannotStore)
