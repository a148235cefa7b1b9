"""`--source=ssh://…`: pg_dump on a real machine over SSH, its output restored here."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from databases import NO_OLD, OLD
from machines import Machine, introduce
from projects import Project, Run
from silences import until
from targets import Target, Watched
from worlds import World

FOLDER = Path("/usr/lib/postgresql")
OURS = (
    "from pg_stat_activity where application_name = 'dbpull'"
    " and pid <> pg_backend_pid()"
)
WAITING = f"select count(*) {OURS} and wait_event_type = 'Lock';"


@pytest.fixture
def project(project: Project, devbox: Machine) -> Project:
    """One whose user knows the machine."""
    introduce(Path(project.environment["HOME"]), devbox)
    return project


def url(machine: Machine, server: Watched, dbname: str, user: str = "postgres") -> str:
    """A database as the machine's own user reaches it: by the server's socket."""
    return f"ssh://{machine.name}/{dbname}?{server.socket}&user={user}"


def nothing_left(machine: Machine) -> None:
    """Nothing runs there any more, and nothing of ours is stored there."""
    machine.settled()
    assert not list(machine.home.rglob("*.dump*"))
    assert not list(machine.home.glob(".dbpull/run.*"))


def test_the_target_becomes_equal_to_the_source(
    world: World, project: Project, target: Target, devbox: Machine
) -> None:
    source = url(devbox, world.modern, "shop")

    ended = project.invoke("db.pull", f"--source={source}").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture("shop")
    assert target.family == {"target", "original"}
    assert re.search(r"shop on devbox:\d+, a new dump", ended.err)
    [dump] = project.dumps()
    assert dump.startswith("devbox-shop--")
    nothing_left(devbox)


def test_a_young_dump_that_is_here_is_used_again(
    world: World, project: Project, target: Target, devbox: Machine
) -> None:
    source = f"--source={url(devbox, world.modern, 'small')}"
    project.invoke("db.fetch", source).succeeds()
    [first] = project.dumps()

    project.invoke("db.fetch", source).succeeds()
    assert project.dumps() == [first]

    project.invoke("db.pull", source, "--capture").succeeds()
    assert len(project.dumps()) == 2


def test_a_password_comes_from_pgpass_there(
    world: World, project: Project, devbox: Machine
) -> None:
    modern = world.modern
    place = urlsplit(modern.url("small"))
    secret = devbox.home / ".pgpass"
    secret.write_text(f"{place.hostname}:{place.port}:*:postgres:{modern.password}\n")
    secret.chmod(0o600)

    query = f"host={place.hostname}&port={place.port}&user=postgres"
    source = f"ssh://devbox/small?{query}"
    project.invoke("db.fetch", f"--source={source}").succeeds()

    assert len(project.dumps()) == 1


def test_rows_are_left_out_over_there(
    world: World, project: Project, target: Target, devbox: Machine
) -> None:
    script = "create table audit as select 1 as id; create table kept as select 2 id;"
    dbname = world.modern.database(script)
    source = url(devbox, world.modern, dbname)

    ended = project.invoke("db.pull", f"--source={source}", "--skip-data=audit")

    ended.succeeds()
    rows = "select (select count(*) from audit), (select count(*) from kept);"
    assert target.sql(rows) == "0|1"


def test_a_plan_names_the_command_and_dumps_nothing(
    world: World, project: Project, target: Target, devbox: Machine
) -> None:
    source = url(devbox, world.modern, "shop")

    with target.unasked():
        ended = project.invoke("db.pull", f"--source={source}", "--dry-run").succeeds()

    assert "pg_dump --format=custom --no-owner" in ended.err
    assert "GET that URL" not in ended.err
    assert project.dumps() == []
    nothing_left(devbox)


def test_a_jump_host_is_gone_through(
    world: World,
    project: Project,
    devbox: Machine,
    make_machine: Callable[..., Machine],
) -> None:
    jump = make_machine(name="jump", sshd_config=("AllowTcpForwarding yes",))
    home = Path(project.environment["HOME"])
    introduce(home, devbox, jump)
    config = home / ".ssh/config"
    jumping = "Host devbox\n    ProxyJump jump\n"
    config.write_text(config.read_text().replace("Host devbox\n", jumping))

    source = url(devbox, world.modern, "small")
    project.invoke("db.fetch", f"--source={source}").succeeds()

    assert len(project.dumps()) == 1
    assert "Accepted publickey" in jump.log.read_text()


def test_user_and_port_of_the_host_may_be_in_the_url(
    world: World, project: Project, devbox: Machine
) -> None:
    there = f"{devbox.user}@127.0.0.1:{devbox.port}"
    config = Path(project.environment["HOME"]) / ".ssh/config"
    lines = config.read_text().splitlines()
    kept = [line for line in lines if line.split()[0] not in {"Port", "User"}]
    config.write_text("\n".join(kept).replace("Host devbox", "Host 127.0.0.1"))

    source = url(devbox, world.modern, "small").replace("devbox", there)
    project.invoke("db.fetch", f"--source={source}").succeeds()

    assert len(project.dumps()) == 1


def test_a_malformed_url_is_refused_without_being_repeated(
    project: Project, target: Target
) -> None:
    with target.unasked():
        ended = project.invoke("db.pull", "--source=ssh://ann:secret@devbox/shop")

    ended.refuses("--source is not a usable ssh:// URL", "ssh://user@host:port/dbname")
    assert "secret" not in ended.err


def test_a_host_that_nobody_knows(project: Project, target: Target) -> None:
    with target.unasked():
        ended = project.invoke("db.pull", "--source=ssh://nobody.invalid/shop")

    ended.refuses("nobody.invalid can't be reached", "`ssh nobody.invalid` shows more")


def test_a_database_that_is_not_there(
    world: World, project: Project, target: Target, devbox: Machine
) -> None:
    source = url(devbox, world.modern, "nowhere")

    with target.unasked():
        ended = project.invoke("db.pull", f"--source={source}")

    ended.refuses('nowhere on devbox.*database "nowhere" does not exist', "database")


def test_a_server_that_is_not_there(
    project: Project, target: Target, devbox: Machine
) -> None:
    with target.unasked():
        ended = project.invoke(
            "db.pull", "--source=ssh://devbox/shop?host=127.0.0.1&port=1"
        )

    ended.refuses("shop on devbox:1 can't be reached: .*refused", "server")


def test_a_role_without_rights_is_told_before_anything(
    world: World, project: Project, target: Target, devbox: Machine
) -> None:
    dbname = world.modern.database("create table secrets (id int);")
    source = url(devbox, world.modern, dbname, world.modern.role())

    with target.unasked():
        ended = project.invoke("db.pull", f"--source={source}")

    ended.refuses("may not read 1 table.*secrets", "GRANT pg_read_all_data")


def test_a_machine_without_the_programs(
    project: Project, target: Target, make_machine: Callable[..., Machine]
) -> None:
    bare = make_machine(name="bare", programs=None, hide=(FOLDER,))
    introduce(Path(project.environment["HOME"]), bare)

    with target.unasked():
        ended = project.invoke("db.pull", "--source=ssh://bare/shop")

    ended.refuses("psql was not found on bare", "docker exec -i CONTAINER pg_dump")


@pytest.mark.skipif(not OLD, reason=NO_OLD)
def test_a_machine_whose_pg_dump_is_too_old(
    world: World, project: Project, target: Target, buildbox: Machine
) -> None:
    introduce(Path(project.environment["HOME"]), buildbox)
    source = url(buildbox, world.modern, "shop")

    with target.unasked():
        ended = project.invoke("db.pull", f"--source={source}")

    ended.refuses(f"the newest pg_dump there is {OLD}", "client programs there")


@pytest.fixture
def dumping(
    world: World, project: Project, target: Target, devbox: Machine
) -> Iterator[Run]:
    """A pull whose pg_dump waits for a lock on the source."""
    dbname = world.modern.database("create table busy as select 1 as id;")
    with world.modern.session(dbname, "begin", "lock table busy"):
        source = url(devbox, world.modern, dbname)
        run = project.start("db.pull", f"--source={source}")
        run.until(lambda: world.modern.sql("postgres", WAITING) == "1")
        yield run


def no_session(world: World) -> None:
    """Wait until nothing of ours is on the source's server."""
    until(lambda: world.modern.sql("postgres", f"select count(*) {OURS};") == "0")


def test_nothing_stays_on_the_source_after_a_kill(
    world: World, dumping: Run, target: Target, devbox: Machine
) -> None:
    dumping.signal(signal.SIGKILL)

    no_session(world)
    assert dumping.end().code == -signal.SIGKILL
    assert (target.family, target.notes) == ({"target"}, "(1,mine)")
    nothing_left(devbox)


def test_a_signal_ends_the_dump_there(
    world: World, dumping: Run, target: Target, devbox: Machine
) -> None:
    dumping.signal(signal.SIGINT)

    assert dumping.end().code == 130
    no_session(world)
    assert (target.family, target.notes) == ({"target"}, "(1,mine)")
    nothing_left(devbox)


def test_a_lost_connection_is_told_as_such(
    world: World, dumping: Run, target: Target, devbox: Machine
) -> None:
    devbox.cut()

    dumping.end().refuses(
        "SSH connection to devbox was lost", "Run the same command again"
    )
    no_session(world)
    assert (target.family, target.notes) == ({"target"}, "(1,mine)")


def test_pg_dumps_own_failure_is_told_in_its_words(
    world: World, dumping: Run, target: Target, devbox: Machine
) -> None:
    world.modern.sql("postgres", f"select pg_terminate_backend(pid) {OURS};")

    failed = r"Dumping shop\d+ on devbox:\d+ failed: terminating"
    dumping.end().refuses(failed, "starts over")
    assert (target.family, target.notes) == ({"target"}, "(1,mine)")
    nothing_left(devbox)
