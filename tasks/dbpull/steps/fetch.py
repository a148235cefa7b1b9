"""A backup becomes a dump here: downloaded and verified, or found whole already."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from dbpull import archive, dumps, heroku
from dbpull.archive import Archive, Block
from dbpull.console import Step, Teller
from dbpull.download import Download
from dbpull.dumps import Dump, shown
from dbpull.errors.archive import BadDump
from dbpull.errors.download import ObjectChanged
from dbpull.settings import Settings
from dbpull.steps.source import Source
from dbpull.words import size

Gate = Callable[[Archive], object]
"""Looks at a dump's table of contents and raises where it can't be used."""


@dataclass(frozen=True)
class Fetched:
    """A whole, verified dump."""

    dump: Dump
    archive: Archive
    blocks: tuple[Block, ...]

    @property
    def sizes(self) -> Mapping[int, int]:
        """Bytes of the dump that each entry's data takes, by dump id."""
        return {block.dump_id: block.end - block.start for block in self.blocks}


def accept(_: Archive) -> None:
    """The gate of a fetch alone: every archive we can read may pass."""


def fetch(
    source: Source,
    backup: heroku.Backup,
    settings: Settings,
    teller: Teller,
    gate: Gate = accept,
) -> Fetched:
    """Bring a backup here. The gate judges it as soon as its front has arrived.

    Raises DownloadFailed, BadDump and what the gate raises; what has arrived
    stays for the next run.
    """
    dump = source.dump(backup, settings)
    if dump.path.exists():
        return open_dump(dump, teller, gate)
    with teller.step("fetch", f"Fetching {dump.label}", "bytes") as step:
        fetched = _download(source, backup, dump, settings, step, teller, gate)
        step.sentence = f"Fetched {dump.label}: {size(dump.size)} in {shown(dump.path)}"
    return fetched


def open_dump(dump: Dump, teller: Teller, gate: Gate = accept) -> Fetched:
    """Read and verify a dump that is here. Raises BadDump."""
    with (
        teller.step("dump", f"Checking {shown(dump.path)}") as step,
        dump.path.open("rb") as file,
    ):
        read = archive.read(file)
        gate(read)
        blocks = archive.verify(file, read)
        step.sentence = f"{shown(dump.path)} is here and whole: {size(dump.size)}"
    return Fetched(dump, read, tuple(blocks))


def _download(
    source: Source,
    backup: heroku.Backup,
    dump: Dump,
    settings: Settings,
    step: Step,
    teller: Teller,
    gate: Gate,
) -> Fetched:
    def url() -> str:
        return heroku.download_url(source.api, backup)

    with Download(
        url,
        dump.path,
        connections=settings.connections,
        accepts=archive.recognise,
        progress=step.progress,
        notice=teller.note,
    ) as download:
        download.start()
        if download.already:
            found = size(download.already)
            teller.note(f"{found} of it were here from an earlier run.")
        front = _front(download)
        gate(front)
        arrived = _Arrived()
        download.finish(arrived)
    if arrived.archive != front:
        gate(arrived.archive)
    return Fetched(dump, arrived.archive, arrived.blocks)


def _front(download: Download) -> Archive:
    """The table of contents, as soon as it is here."""
    try:
        with download.reader() as stream:
            return archive.read(stream)
    except ObjectChanged:
        return _front(download)
    except BadDump:
        download.discard()
        raise


class _Arrived:
    """Walks a dump to its end while it arrives, and keeps what it finds."""

    archive: Archive
    blocks: tuple[Block, ...]

    def __call__(self, stream: BinaryIO) -> None:
        # Read anew: the object may have changed since its front was judged.
        self.archive = archive.read(stream)
        self.blocks = tuple(archive.verify(stream, self.archive))


def find(settings: Settings, app: str | None, dump: str | None) -> Dump | None:
    """A dump that is here: the named file, or the newest; None where there is none."""
    if dump:
        path = Path(os.path.expanduser(dump))  # noqa: PTH111 - Path's raises
        candidates = [
            Path.cwd() / path,
            settings.path / path,
            settings.path.parent / path,
        ]
        found = next((c for c in candidates if c.is_file()), None)
        return Dump.of(found.resolve()) if found else None
    newest = dumps.here(settings.path, app, settings.database)
    return newest[0] if newest else None
