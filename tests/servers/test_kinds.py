"""Every kind of object: dbpull makes of a dump what a serial pg_restore makes of it.

Compared is what pg_dump says of both, and the little that it does not say.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from difflib import unified_diff
from itertools import islice
from pathlib import Path

import pytest

from databases import AS_HEROKU, SERVERS
from dbpull import archive
from faulty_stand_in import App, Backup, Config, Database, StandIn, faults
from machines import Machine, fab, introduce
from projects import Project
from targets import Target, Watched
from worlds import World

_TEXT = Path(__file__).with_name("kinds.sql").read_text(encoding="utf-8")
SQL = dict(part.split("\n", 1) for part in _TEXT.split("\n-- # ")[1:])
"""Of each database, by its name."""
HEROKU_EXT = "CREATE SCHEMA heroku_ext;"
# What pg_dump does not tell: the rows of materialized views, and which are filled; the
# indexes that serve; who depends on whom.
UNTOLD = """
SET enable_indexscan = off; SET enable_bitmapscan = off; SET search_path = '';
SELECT format('SELECT %L, one::text FROM %s AS one ORDER BY 2', oid::regclass,
  oid::regclass) FROM pg_class WHERE relkind = 'm' AND relispopulated
  ORDER BY oid::regclass::text \\gexec
SELECT indexrelid::regclass, indisvalid, indisready, indisclustered, indisreplident
  FROM pg_index WHERE indexrelid >= 16384 AND indrelid::regclass::text !~ 'pg_toast'
  ORDER BY indexrelid::regclass::text;
SELECT conrelid::regclass, conname, pg_get_constraintdef(oid), conislocal, coninhcount,
  conindid::regclass FROM pg_constraint WHERE conrelid >= 16384
  ORDER BY conrelid::regclass::text, conname;
SELECT classid::regclass, refclassid::regclass, deptype, count(*) FROM pg_depend
  WHERE objid >= 16384 GROUP BY 1, 2, 3
  ORDER BY classid::regclass::text, refclassid::regclass::text, deptype;
"""
# An index of every row, by what its expressions give now that all rows are there.
SOUND = """
CREATE EXTENSION amcheck WITH SCHEMA public;
SELECT count(public.bt_index_check(i.indexrelid, true)) > 20 FROM pg_index i
  JOIN pg_class c ON c.oid = indexrelid JOIN pg_am a ON a.oid = relam
  WHERE amname = 'btree' AND relkind = 'i' AND indisvalid AND i.indexrelid >= 16384;
"""
# What the dump must hold, or this tests less than it says.
DESCS = """ACCESS METHOD, AGGREGATE, BLOBS, CAST, CHECK CONSTRAINT, COLLATION, COMMENT,
CONSTRAINT, DEFAULT, DOMAIN, EVENT TRIGGER, EXTENSION, FK CONSTRAINT, FUNCTION, INDEX,
INDEX ATTACH, MATERIALIZED VIEW, MATERIALIZED VIEW DATA, OPERATOR, OPERATOR CLASS,
OPERATOR FAMILY, POLICY, PROCEDURE, PUBLICATION, PUBLICATION TABLE,
PUBLICATION TABLES IN SCHEMA, ROW SECURITY, RULE, SCHEMA, SEQUENCE, SEQUENCE OWNED BY,
SEQUENCE SET, STATISTICS, TABLE, TABLE ATTACH, TABLE DATA, TEXT SEARCH CONFIGURATION,
TEXT SEARCH DICTIONARY, TRIGGER, TYPE, VIEW"""
UNSAID = ["races", "order", "attached", "displaced", "judged", "refreshed"]
"""What must be restored in an order of which dumps say nothing, or the contrary."""
MORE = ["typed", "calling", "examined"]
"""Variants of those, tried where it costs least."""
SKIP = 'a_price,public.lines_*,animals,unlog*,a "quoted" one.SELECT'
SKIPPED = {"a_price", "lines_0", "lines_1", "animals", "unlogged", "SELECT"}
"""Tables that fit, which no foreign key refers to."""


@dataclass
class Kinds:
    """A database on one server, its dumps, and what pg_restore makes of them."""

    on: Watched
    folder: Path
    sql: str
    source: str = field(init=False)
    _serial: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.source = self.on.database(self.sql)

    def dump(self, *options: str) -> Path:
        """A dump of it, made as Heroku makes them, with these options too."""
        path = self.folder / f"{self.source}{''.join(options)}.dump"
        if not path.exists():
            self.on.dump(self.source, path, *AS_HEROKU, *options)
        return path

    @property
    def serial(self) -> list[str]:
        """Everything in what a serial pg_restore makes of its dump."""
        self._serial = self._serial or self.restored(self.dump())
        return self._serial

    def restored(
        self, dump: Path, without: Collection[str] = (), *, publish: bool = False
    ) -> list[str]:
        """The same of that dump; `without` names tables whose rows are left out.

        Publications are left out, too, unless that is asked for.
        """
        listing = dump.with_suffix(".list")
        wanted = [
            f"{one.dump_id};"
            for one in entries(dump)
            if not (one.desc == "TABLE DATA" and one.tag in without)
            and (publish or "PUBLICATION" not in f"{one.desc} {one.tag}")
        ]
        listing.write_text("\n".join(wanted))
        dbname = self.on.database(HEROKU_EXT if HEROKU_EXT in self.sql else "")
        argv = [
            self.on.program("pg_restore"),
            "--no-owner",
            "--no-acl",
            "--exit-on-error",
        ]
        argv += ["-L", str(listing), "-d", dbname, str(dump)]
        env = self.on.connection(dbname).environment()
        done = subprocess.run(
            argv, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return everything(self.on, dbname)


def entries(dump: Path) -> tuple[archive.Entry, ...]:
    with dump.open("rb") as file:
        return archive.read(file).entries


def everything(on: Watched, dbname: str) -> list[str]:
    """What is in a database: as pg_dump has it, and what that does not tell."""
    return on.likeness(dbname).splitlines() + on.sql(dbname, UNTOLD).splitlines()


def refuse_differences(ours: list[str], theirs: list[str]) -> None:
    """Fail with the first of them, cut short: a row may have 10 MB."""
    if ours != theirs:
        lines = unified_diff(theirs, ours, "pg_restore's", "dbpull's", n=3, lineterm="")
        pytest.fail("\n".join(line[:200] for line in islice(lines, 60)))


@pytest.fixture(scope="module", params=SERVERS)
def on(request: pytest.FixtureRequest, world: World) -> Watched:
    """Each server, one after the other."""
    name = request.param
    return world.modern if name == "wheel" else world.others[int(name)]


@pytest.fixture(scope="module")
def kinds(on: Watched, tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    return Kinds(on, tmp_path_factory.mktemp("kinds"), SQL["kinds"])


@pytest.fixture(scope="module")
def many(on: Watched, tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    return Kinds(on, tmp_path_factory.mktemp("many"), SQL["many"])


@pytest.fixture
def target(make_target: Callable[..., Target], on: Watched) -> Target:
    return make_target(on)


def test_a_serial_pg_restore_leaves_the_source_as_it_is_and_no_kind_is_missing(
    on: Watched, kinds: Kinds
) -> None:
    whole = kinds.restored(kinds.dump(), publish=True)
    refuse_differences(whole, everything(on, kinds.source))
    assert {one.desc for one in entries(kinds.dump())} >= set(re.split(r",\s+", DESCS))


@pytest.mark.parametrize(
    ("option", "jobs"), [("-Z6", 1), ("-Z6", 2), ("-Z6", 5), ("-Z0", 2)]
)
def test_every_kind_of_object_is_as_a_serial_pg_restore_leaves_it(
    kinds: Kinds, target: Target, project: Project, option: str, jobs: int
) -> None:
    dump = kinds.dump(option)

    project.invoke("db.restore", f"--dump={dump}", INVOKE_DB_JOBS=str(jobs)).succeeds()

    refuse_differences(everything(kinds.on, target.name), kinds.serial)
    assert target.sql(SOUND) == "t"


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_hundreds_of_tables_are_as_a_serial_pg_restore_leaves_them(
    many: Kinds, target: Target, project: Project, jobs: int
) -> None:
    project.invoke(
        "db.restore", f"--dump={many.dump()}", INVOKE_DB_JOBS=str(jobs)
    ).succeeds()

    refuse_differences(everything(many.on, target.name), many.serial)
    assert target.sql(SOUND) == "t"


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_keys_that_are_made_in_two_statements_are_what_one_would_make(
    on: Watched, target: Target, project: Project, tmp_path: Path, jobs: int
) -> None:
    keys = Kinds(on, tmp_path, SQL["keys"])
    expected, before = keys.serial, len(on.server.log.read_bytes())

    project.invoke(
        "db.restore", f"--dump={keys.dump()}", INVOKE_DB_JOBS=str(jobs)
    ).succeeds()

    refuse_differences(everything(on, target.name), expected)
    assert target.sql(SOUND.replace("20", "12")) == "t"
    log = on.server.log.read_bytes()[before:].decode()
    assert ('CREATE UNIQUE INDEX "odd ""name"", with; (all)"' in log) == (jobs > 1)
    assert ('VALIDATE CONSTRAINT "boss of; all"' in log) == (jobs > 1)
    assert "UNIQUE INDEX not_distinct" not in log
    assert "VALIDATE CONSTRAINT never" not in log


@pytest.mark.parametrize("name", [*UNSAID, *MORE])
@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_what_nothing_in_a_dump_orders_is_restored_in_its_order(
    on: Watched, target: Target, project: Project, tmp_path: Path, name: str, jobs: int
) -> None:
    one = Kinds(on, tmp_path, SQL[name])

    project.invoke(
        "db.restore", f"--dump={one.dump()}", INVOKE_DB_JOBS=str(jobs)
    ).succeeds()

    refuse_differences(everything(on, target.name), one.serial)


@pytest.mark.parametrize("name", [*UNSAID, *MORE])
def test_a_tar_file_is_restored_in_its_order(
    on: Watched, target: Target, project: Project, tmp_path: Path, name: str
) -> None:
    one = Kinds(on, tmp_path, SQL[name])
    dump = on.dump(one.source, tmp_path / f"{name}.tar", *AS_HEROKU, "-Ft")

    project.invoke("db.restore", f"--dump={dump}", INVOKE_DB_JOBS="2").succeeds()

    refuse_differences(everything(on, target.name), one.serial)


@pytest.mark.parametrize("name", ["kinds", *UNSAID])
@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_a_host_restores_as_a_serial_pg_restore_does(
    on: Watched, target: Target, project: Project, devbox: Machine, name: str, jobs: int
) -> None:
    introduce(Path(project.environment["HOME"]), devbox)
    one = Kinds(on, devbox.home, SQL[name])
    options = {"INVOKE_DB_JOBS": str(jobs)}

    fab(project, "devbox", "db.restore", f"--dump={one.dump()}", **options).succeeds()

    refuse_differences(everything(on, target.name), one.serial)


@pytest.mark.parametrize("jobs", [1, 2])
def test_skipped_rows_are_left_out_and_nothing_else(
    kinds: Kinds, target: Target, project: Project, jobs: int
) -> None:
    dump = kinds.dump("-Z6")

    ended = project.invoke(
        "db.restore", f"--dump={dump}", f"--skip-data={SKIP}", INVOKE_DB_JOBS=str(jobs)
    )

    ended.succeeds()
    theirs = kinds.restored(dump, without=SKIPPED)
    assert theirs != kinds.serial
    refuse_differences(everything(kinds.on, target.name), theirs)


@pytest.mark.parametrize("on", ["wheel"], indirect=True)
def test_statistics_in_a_dump_change_nothing_else(
    kinds: Kinds, target: Target, project: Project
) -> None:
    kinds.on.sql(kinds.source, "ANALYZE;")
    dump = kinds.dump("--statistics")

    project.invoke("db.restore", f"--dump={dump}").succeeds()

    assert "STATISTICS DATA" in {one.desc for one in entries(dump)}
    refuse_differences(everything(kinds.on, target.name), kinds.restored(dump))


@pytest.mark.parametrize("rate", [0, 2_000_000], ids=["fast", "slow"])
@pytest.mark.parametrize("option", ["-Z6", "-Z0"])
def test_every_kind_of_object_comes_through_a_download(
    world: World,
    kinds: Kinds,
    target: Target,
    make_project: Callable[..., Project],
    option: str,
    rate: int,
) -> None:
    database = Database("postgresql-kinds", kinds.on.url(kinds.source))
    backup = Backup(number=1, dump=str(kinds.dump(option)))
    app = App("kinds", databases=(database,), backups=(backup,))
    config = Config(
        (app,), pg_dump=world.modern.program("pg_dump"), dump_at_start=False
    )
    with StandIn.start(config) as heroku:
        heroku.misbehave(faults.throttle(rate))
        project = make_project(DATABASE_URL=target.url, **heroku.environment)

        project.invoke("db.pull", "--app=kinds").succeeds()

    refuse_differences(everything(kinds.on, target.name), kinds.serial)


@pytest.mark.parametrize("name", ["displaced", "judged", "refreshed"])
def test_what_nothing_in_a_dump_orders_comes_through_a_download(
    world: World,
    on: Watched,
    target: Target,
    make_project: Callable[..., Project],
    tmp_path: Path,
    name: str,
) -> None:
    one = Kinds(on, tmp_path, SQL[name])
    database = Database(f"postgresql-{name}", on.url(one.source))
    backup = Backup(number=1, dump=str(one.dump()))
    app = App(name, databases=(database,), backups=(backup,))
    pg_dump = world.modern.program("pg_dump")
    with StandIn.start(Config((app,), pg_dump=pg_dump, dump_at_start=False)) as heroku:
        heroku.misbehave(faults.throttle(1_000_000))
        project = make_project(DATABASE_URL=target.url, **heroku.environment)

        project.invoke("db.pull", f"--app={name}", INVOKE_DB_JOBS="2").succeeds()

    refuse_differences(everything(on, target.name), one.serial)


@pytest.mark.parametrize("name", ["displaced", "judged", "refreshed"])
def test_what_nothing_in_a_dump_orders_is_restored_in_place(
    on: Watched, project: Project, tmp_path: Path, name: str
) -> None:
    one = Kinds(on, tmp_path, SQL[name])
    dbname = on.database()
    target = f"--target={on.url(dbname)}"

    project.invoke(
        "db.restore", f"--dump={one.dump()}", target, "--in-place"
    ).succeeds()

    refuse_differences(everything(on, dbname), one.serial)
