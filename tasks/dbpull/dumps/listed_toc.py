"""The table of contents by `pg_restore -l`, for dumps that dbpull can't read.

Such a dump has a version that `archive` does not know.
"""

from __future__ import annotations

import tarfile
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from dbpull.archive import Archive, printed
from dbpull.archive.encodings import codec_of, decoded
from dbpull.dumps import own_tar
from dbpull.errors.archive import UnsupportedDump
from dbpull.postgres import programs
from dbpull.shell import Shell

_BEYOND = "unsupported version"


def read(path: Path, error: UnsupportedDump, shell: Shell) -> Archive:
    """The table of contents by the newest pg_restore, whose failure raises `error`.

    That of pg_dump's tar format is read here.
    """
    if path.is_file() and tarfile.is_tarfile(path):
        try:
            return own_tar.read(path)
        except UnsupportedDump as newer:
            error = newer
    program = _newest(shell, error)

    def output(*options: str) -> str:
        result = shell.run([program, *options, str(path)])
        if not result.ok:
            raise error
        return result.out

    sections = {name: output("-l", f"--section={name}") for name in printed.SECTIONS}
    script = output("--verbose", "--schema-only", "-f", "-")
    codec = codec_of(script)
    sections = {name: decoded(text, codec) for name, text in sections.items()}
    archive = printed.parse(
        decoded(output("-l"), codec), sections, decoded(script, codec)
    )
    version = error.version or archive.header.version
    return replace(archive, header=replace(archive.header, version=version))


def refuse_unreadable(first: bytes, error: UnsupportedDump, shell: Shell) -> None:
    """Raise `error` where pg_restore does not support the version of a dump.

    `first`: the dump's first bytes.
    """
    with NamedTemporaryFile(prefix="dbpull-") as file:
        file.write(first)
        file.flush()
        if _BEYOND in shell.run([_newest(shell, error), "-l", file.name]).err:
            raise error


def _newest(shell: Shell, error: UnsupportedDump) -> str:
    program = programs.newest(shell, "pg_restore")
    if not program:
        raise error
    return program.path
