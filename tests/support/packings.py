"""A database's dump in each format, and in each that may be around it."""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from databases import AS_HEROKU
from targets import Watched

Pack = Callable[[Path], bytes]
"""Of a folder that holds `custom`, `tar` and `folder`, dumps by pg_dump."""
OPTIONS = {"custom": ("-Fc",), "tar": ("-Ft",), "folder": ("-Fd", "-j2")}


def dumped(on: Watched, dbname: str, into: Path) -> None:
    """Dump a database into a folder, in each of pg_dump's own formats."""
    for name, options in OPTIONS.items():
        argv = [on.program("pg_dump"), *AS_HEROKU, *options, "-f", str(into / name)]
        env = on.connection(dbname).environment()
        subprocess.run(argv, env=env, check=True)


def tarred(*members: tuple[str, bytes]) -> bytes:
    """A tar file with these members."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def _folder(of: Path) -> bytes:
    """A tar of a folder, as `tar -c FOLDER` makes it: the folder itself is first."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(of / "folder", "2026-11-29T03:00Z")
    return packed.getvalue()


def _in_tar(of: Path) -> bytes:
    """A tar of a dump, beside something else."""
    custom = (of / "custom").read_bytes()
    return tarred(("backup/readme", b"a backup"), ("backup/export", custom))


def _gzipped(pack: Pack) -> Pack:
    return lambda of: gzip.compress(pack(of), 1)


def _whole(name: str) -> Pack:
    return lambda of: (of / name).read_bytes()


PACKINGS: dict[str, Pack] = {
    "custom": _whole("custom"),
    "tar": _whole("tar"),
    "custom.gz": _gzipped(_whole("custom")),
    "tar.gz": _gzipped(_whole("tar")),
    "custom in a tar": _in_tar,
    "custom in a tar.gz": _gzipped(_in_tar),
    "folder in a tar": _folder,
    "folder in a tar.gz": _gzipped(_folder),
}
"""What a file may be, by a name; a folder is none."""
