"""`./manage.py db:pull` in a real project, whose production is the stand-in's."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dbpull.embedded import Server
from django_projects import ALIASES, PYTHONS, DjangoProject, MakeDjango, database_of
from documents import documents
from faulty_stand_in import AppConfig, BackupConfig, Config, DatabaseConfig, StandIn
from projects import Project
from targets import Target
from worlds import World

ROWS = """
insert into shop_customer (name) values ('Ada'), ('Grace');
insert into shop_order (customer_id, total) values (1, 7), (1, 8), (2, 9);
"""
COUNT = """
from shop.models import Customer
print('customers', [*Customer.objects.order_by('id').values_list('name', flat=True)])
"""


@pytest.fixture(scope="session", params=PYTHONS)
def python(request: pytest.FixtureRequest) -> str:
    return PYTHONS[request.param]


@pytest.fixture(scope="session")
def production(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StandIn]:
    """A Heroku whose app runs the shop as it was before its last migration."""
    folder = tmp_path_factory.mktemp("production")
    name = world.modern.database(name="django_production")
    shop = DjangoProject(Project.at(folder / "shop"), PYTHONS["ours"], {})
    shop.use({"default": database_of(Target(world.modern, name))})
    shop.manage("migrate", "--verbosity=0", "shop", "0001").succeeds()
    world.modern.sql(name, ROWS)
    database = DatabaseConfig("postgresql-shop", world.modern.url(name))
    backups = (BackupConfig(number=100, age=7200), BackupConfig(number=101, age=600))
    apps = tuple(
        AppConfig(
            app, databases=(replace(database, name=f"postgresql-{app}"),), backups=some
        )
        for app, some in (("shop-eu", backups), ("shop-fresh", ()))
    )
    config = Config(apps, pg_dump=world.modern.program("pg_dump"), progress_every=0.1)
    with StandIn.start(config) as heroku:
        yield heroku


@pytest.fixture
def make_django(
    production: StandIn, python: str, tmp_path: Path
) -> Iterator[MakeDjango]:
    made: list[Project] = []
    production.forget_requests()

    def make(target: Target | None = None, **entry: object) -> DjangoProject:
        project = Project.at(tmp_path / f"django{len(made)}", production)
        made.append(project)
        if target:
            project.secrets = (*project.secrets, target.postgres.password)
            entry = database_of(target) | entry
        return DjangoProject(project, python, {"default": entry})

    yield make
    for project in made:
        project.close()


@pytest.fixture
def django(make_django: MakeDjango, target: Target) -> DjangoProject:
    return make_django(target)


def test_the_line_of_2012_pulls_and_the_orm_has_productions_rows_and_migrates(
    django: DjangoProject, target: Target
) -> None:
    migrate = f"    - {django.python} manage.py migrate --verbosity=0\n"
    django.project.configure(f"{ALIASES}  before_swap:\n{migrate}")

    ended = django.manage("db:pull", "-x", "--app=staging").succeeds()

    assert "is now shop-eu b101" in ended.err
    assert "`./manage.py db:undo` brings the old one back." in ended.err
    assert django.project.dumps() == []
    assert "customers ['Ada', 'Grace']" in django.run(COUNT).succeeds().out
    assert target.sql("select count(note) from shop_order;") == "3"
    django.manage("db:undo").succeeds()
    assert target.notes == "(1,mine)"
    assert target.sql("select to_regclass('django_migrations');") == ""


def test_a_backup_and_a_folder_are_named_as_in_2012(django: DjangoProject) -> None:
    words = ("b100", "-p", "backups", "--app=shop-eu", "--json")
    ended = django.manage("db:pull", *words)

    assert "shop-eu b100" in ended.succeeds().err
    [told] = documents(ended.out)
    assert told["backup"]["id"] == "b100"
    assert told["dump"]["path"].startswith("backups/")
    dumps = django.project.folder / "backups"
    assert [path.suffix for path in dumps.glob("[!.]*")] == [".dump"]


def test_a_backup_is_captured_where_that_is_asked_for(django: DjangoProject) -> None:
    ended = django.manage("db:pull", "-c", "--app=shop-fresh").succeeds()

    assert re.search(r"Captured (b\d{3}) .*is now shop-fresh \1", ended.err, re.DOTALL)


def test_the_embedded_server_is_started_where_databases_has_it(
    make_django: MakeDjango,
) -> None:
    django = make_django()
    server = Server(django.project.folder / ".dbpull" / "server")
    django.use(
        {
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": "shop",
                "USER": "postgres",
                "HOST": str(server.sockets),
                "PORT": 5432,
            }
        }
    )
    django.project.keeps_running = True
    try:
        ended = django.manage("db:pull", "-x", "--app=staging").succeeds()
        assert ended.err.splitlines()[-1] == f"It is at {server.url('shop')}"
        server.stop()
        told = django.manage("db:url").succeeds()
        assert told.out == f"{server.url('shop')}\n"
        assert server.running
        server.stop()
        looked = django.manage("db:status", "--app=staging").succeeds()
        assert "server  the embedded PostgreSQL does not run, " in looked.out
        assert not server.running
        django.manage("db:shell").succeeds()
        assert server.running
        masked = django.manage("db:mask", "--app=staging").succeeds()
        assert "`./manage.py db:mask --init` proposes rules" in masked.err
        checked = django.manage("db:doctor", "--app=staging").succeeds()
        assert '✓ target    shop on this machine (DATABASES["default"]' in checked.out
    finally:
        server.delete()


def test_help_lists_the_commands_and_explains_them(django: DjangoProject) -> None:
    ended = django.manage("help").succeeds()
    manage = str(django.project.folder / "manage.py")
    started = django.project.begin([django.python, manage, "help"], None, {})
    assert started.end() == ended, "the program itself says what a forked run says"
    listed = ended.out

    for name in ("pull", "push", "undo", "backups", "reset", "snapshot", "url"):
        assert f"    db:{name}\n" in listed
        assert f"    db_{name}\n" in listed
    told = django.manage("help", "db:pull").succeeds().out
    assert told.startswith("usage: manage.py db:pull ")
    assert all(flag in told for flag in ("BACKUP_ID", "-x", "-p", "-c", "--dry-run"))


def test_the_name_without_a_colon_is_the_same_and_silence_is_kept(
    django: DjangoProject, target: Target
) -> None:
    ended = django.manage("db_pull", "--app=staging", "--verbosity=0").succeeds()

    assert (ended.out, ended.err) == ("", "")
    assert target.sql("select count(*) from shop_customer;") == "2"


def test_ones_own_database_comes_back_after_two_pulls(
    django: DjangoProject, target: Target
) -> None:
    own = target.oid

    told = [django.manage("db:pull", "--app=staging").succeeds().err for _ in "12"]

    original = f"{target.name}__dbpull_original"
    assert f"is kept as {original}: `./manage.py db:undo --original`" in told[0]
    assert "`./manage.py db:cleanup --original` drops it" in told[0]
    django.manage("db:undo", "--original").succeeds()
    assert (target.oid, target.notes) == (own, "(1,mine)")
    told = [django.manage("db:snapshot", "mine").succeeds().err]
    assert "`./manage.py db:reset --to=mine` brings it back" in told[0]
    django.manage("db:undo").succeeds()
    django.manage("db:reset", "--to=mine").succeeds()
    assert target.notes == "(1,mine)"
    assert "\nmine\t" in django.manage("db:snapshots").succeeds().out
    django.manage("db:snapshot", "--drop", "mine").succeeds()
    django.manage("db:undo").succeeds()
    django.manage("db:cleanup", "--original").succeeds()
    assert target.family == {"target"}


def test_a_plan_names_the_setting_and_does_nothing(
    django: DjangoProject, target: Target
) -> None:
    with target.unasked():
        ended = django.manage("db:pull", "--app=staging", "--dry-run").succeeds()

    assert '[DATABASES["default"] of shop.settings]' in ended.err


def test_a_call_in_a_process_that_has_connections_leaves_it_with_working_ones(
    django: DjangoProject, target: Target
) -> None:
    script = """
import os
from io import StringIO
from django.core.management import call_command
from django.db import connection, connections
from shop.models import Customer
connection.settings_dict["CONN_MAX_AGE"] = None
with connection.cursor() as cursor:
    cursor.execute("select note from notes")
    print(cursor.fetchall())
told, before = StringIO(), dict(os.environ)
call_command("db:pull", app="staging", stderr=told)
print('customers', Customer.objects.count(), 'b101' in told.getvalue())
print(dict(os.environ) == before)
call_command("db_pull", "b100", "--app=staging", stderr=told, verbosity=0)
print('customers', Customer.objects.count(), connections["default"].is_usable())
"""
    ended = django.run(script).succeeds()

    assert ended.out.splitlines() == [
        "[('mine',)]",
        "customers 2 True",
        "True",
        "customers 2 True",
    ]
    assert ended.err == ""
    assert target.family == {"target", "original", "previous"}


def test_threads_take_turns_and_leave_the_process_as_it_was(
    django: DjangoProject, target: Target
) -> None:
    script = """
import os, sys, threading
from io import StringIO
from django.core.management import call_command
from django.db import connection
before, streams = dict(os.environ), (sys.stdout, sys.stderr)
told = [StringIO(), StringIO()]
def pull(text):
    call_command("db:pull", app="staging", stderr=text)
threads = [threading.Thread(target=pull, args=(text,)) for text in told]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(["is now shop-eu b101" in text.getvalue() for text in told])
print(dict(os.environ) == before, (sys.stdout, sys.stderr) == streams)
"""
    ended = django.run(script).succeeds()

    assert ended.out.splitlines() == ["[True, True]", "True True"]
    assert target.sql("select count(*) from shop_customer;") == "2"


def test_a_pull_within_a_transaction_or_a_test_run_is_refused(
    django: DjangoProject, target: Target
) -> None:
    script = """
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test.utils import setup_test_environment
def pull():
    try:
        call_command("db:pull", app="staging")
    except CommandError as error:
        print(str(error).splitlines())
with transaction.atomic():
    pull()
setup_test_environment()
pull()
"""
    with target.unasked():
        ended = django.run(script).succeeds()

    within, tested = ended.out.splitlines()
    assert "A transaction is open" in within
    assert "is a test database now" in tested


def test_an_error_is_a_command_error_and_no_traceback(
    django: DjangoProject, target: Target
) -> None:
    with target.unasked():
        ended = django.manage("db:pull", "b7", "--app=staging")

    assert ended.code == 1
    assert re.search("^Error: ", ended.err, re.M)
    assert "`./manage.py db:backups`" in ended.err


def test_the_traceback_that_was_asked_for_is_there(django: DjangoProject) -> None:
    run = django.start("db:pull", "b7", "--app=staging", "--traceback")
    run.process.wait(60)

    assert "Traceback" in run.err
    assert "HerokuError: There is no backup 'b7'" in run.err


def test_another_database_than_postgresql_is_refused_by_name(
    make_django: MakeDjango,
) -> None:
    django = make_django(ENGINE="django.db.backends.sqlite3", NAME="db.sqlite3")

    ended = django.manage("db:pull", "--app=staging")

    assert ended.code == 1
    assert "is SQLite (django.db.backends.sqlite3)" in ended.err
    assert not (django.project.folder / "db.sqlite3").exists()


def test_an_alias_that_is_not_there_is_refused(django: DjangoProject) -> None:
    ended = django.manage("db:pull", "--app=staging", "--database=replica")

    assert "There is no database replica: DATABASES has default." in ended.err


def test_a_misspelt_alias_learns_the_nearest(django: DjangoProject) -> None:
    ended = django.manage("db:undo", "--database=defalt")

    told = "There is no database defalt: DATABASES has default. Did you mean default?"
    assert told in ended.err
    assert ended.code == 1


def test_an_app_has_the_short_flag_of_the_heroku_cli(django: DjangoProject) -> None:
    ended = django.manage("db:pull", "-a", "stagign")

    assert "Did you mean staging?" in ended.err
    assert ended.code == 1


def test_a_socket_folder_and_a_service_are_understood(
    make_django: MakeDjango, target: Target
) -> None:
    query = parse_qs(urlsplit(target.postgres.socket_url(target.name)).query)
    socket, port = query["host"][0], query["port"][0]
    django = make_django(target, HOST=socket, PORT=port, PASSWORD="")
    services = django.project.folder / "services.conf"
    services.write_text(
        f"# ours\n[shop]\nhost={socket}\nport={port}\nuser=postgres\n"
        f"dbname={target.name}\n[other]\nhost=elsewhere\n"
    )

    django.manage("db:pull", "--app=staging").succeeds()
    assert target.sql("select count(*) from shop_customer;") == "2"
    django.manage("db:undo").succeeds()
    django.use({"default": {
        "ENGINE": "django.db.backends.postgresql", "OPTIONS": {"service": "shop"},
    }})  # fmt: skip
    django.manage("db:pull", "--app=staging", PGSERVICEFILE=str(services)).succeeds()
    assert target.sql("select count(*) from shop_customer;") == "2"


def test_ctrl_c_is_told_and_ends_with_its_code(
    django: DjangoProject, target: Target, production: StandIn
) -> None:
    from faulty_stand_in import faults

    production.misbehave(faults.throttle(500))
    try:
        with target.untouched():
            run = django.start("db:pull", "--app=staging")
            run.says("Fetching")
            run.signal(2)
            ended = run.end()
    finally:
        production.behave()

    assert ended.code == 130
    assert re.search("^Error: Stopped by Ctrl-C", ended.err, re.M)


def test_invoke_finds_the_target_in_djangos_settings(
    make_django: MakeDjango, target: Target
) -> None:
    django = make_django(target)
    root = Path(__file__).parents[2]
    (django.project.folder / "tasks.py").write_text((root / "tasks.py").read_text())

    plan = django.project.invoke("db.pull", "--app=staging", "--dry-run").succeeds()
    django.project.invoke("db.pull", "--app=staging").succeeds()

    assert '[DATABASES["default"] of shop.settings]' in plan.err
    assert target.sql("select count(*) from shop_customer;") == "2"


def test_settings_that_can_not_be_read_are_told(
    make_django: MakeDjango, target: Target
) -> None:
    django = make_django(target)
    root = Path(__file__).parents[2]
    (django.project.folder / "tasks.py").write_text((root / "tasks.py").read_text())
    (django.project.folder / "shop" / "settings.py").write_text("import nothing_real\n")

    with target.unasked():
        ended = django.project.invoke("db.pull", "--app=staging")

    ended.refuses("No module named 'nothing_real'", "DATABASE_URL")


def test_a_url_wins_over_djangos_settings(
    make_django: MakeDjango, target: Target, make_target: Callable[..., Target]
) -> None:
    django, other = make_django(target), make_target()
    root = Path(__file__).parents[2]
    (django.project.folder / "tasks.py").write_text((root / "tasks.py").read_text())

    told = django.project.invoke("db.pull", "--app=staging", DATABASE_URL=other.url)

    assert (target.notes, target.family) == ("(1,mine)", {"target"})
    assert re.search(rf"{other.name} on .* is now shop-eu b101", told.succeeds().err)
