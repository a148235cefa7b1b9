"""A dump that pg_restore reads and we do not: a tar file, or of another version."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from dbpull.archive import Archive, printed
from dbpull.archive.encodings import codec_of, decoded
from dbpull.errors.archive import UnsupportedDump
from dbpull.postgres import programs
from dbpull.shell import Shell

_BEYOND = "unsupported version"


def read(path: Path, error: UnsupportedDump, shell: Shell) -> Archive:
    """The table of contents, as the newest pg_restore tells it; `error` if it can't."""
    program = _newest(shell, error)

    def told(*options: str) -> str:
        answer = shell.run([program, *options, str(path)])
        if not answer.ok:
            raise error
        return answer.out

    by_section = {one: told("-l", f"--section={one}") for one in printed.SECTIONS}
    script = told("--verbose", "--schema-only", "-f", "-")
    codec = codec_of(script)
    by_section = {one: decoded(text, codec) for one, text in by_section.items()}
    archive = printed.parse(
        decoded(told("-l"), codec), by_section, decoded(script, codec)
    )
    version = error.version or archive.header.version
    return replace(archive, header=replace(archive.header, version=version))


def refuse_unreadable(first: bytes, error: UnsupportedDump, shell: Shell) -> None:
    """Raise `error` where pg_restore says of a dump's first bytes: beyond me."""
    with NamedTemporaryFile(prefix="dbpull-") as file:
        file.write(first)
        file.flush()
        if _BEYOND in shell.run([_newest(shell, error), "-l", file.name]).err:
            raise error


def _newest(shell: Shell, error: UnsupportedDump) -> str:
    found = programs.find(shell, "pg_restore")
    if not found:
        raise error
    return max(found, key=lambda program: program.major).path
