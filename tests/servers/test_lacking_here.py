"""Entries of a dump that can't be restored here: left out, told, or gone on without."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from choices import in_turn
from databases import AS_HEROKU, FOLDERS, SERVERS, WITH_ICU
from lacking import POSTGRES
from projects import Ended, Project
from targets import OLD, Target, Watched
from worlds import World

JOBS = [1, 2]
PLACES = [(), ("--in-place",)]
HERE = list(FOLDERS)
"""Servers. Of them, jobs and places each value takes its turn."""
ONE = HERE[:1]
"""Where only dbpull counts, words or goes on: any server gives it the same to read."""


@pytest.fixture(scope="module", params=SERVERS)
def on(request: pytest.FixtureRequest, world: World) -> Watched:
    """Each server, one after the other."""
    name = request.param
    return world.modern if name == "wheel" else world.others[int(name)]


@pytest.fixture
def target(make_target: Callable[..., Target], on: Watched) -> Target:
    return make_target(on)


@pytest.fixture
def small(on: Watched, make_target: Callable[..., Target]) -> tuple[Target, str]:
    """A database of a role that is no superuser, and its URL for that role."""
    role = on.role("CREATEDB PASSWORD 'small'")
    target = make_target(on, options=f"OWNER {role}")
    host, port = target.url.split("@")[1].split("/")[0].split(":")
    return target, f"postgres://{role}:small@{host}:{port}/{target.name}"


def dumped(on: Watched, sql: str, folder: Path, *options: str, after: str = "") -> Path:
    """A dump of such a database, which is gone then, and what `after` drops."""
    dbname = on.database(sql)
    dump = on.dump(dbname, folder / f"{dbname}.dump", *options)
    on.drop_like(dbname)
    on.sql("postgres", after)
    return dump


def restore(project: Project, dump: Path, *words: str, jobs: int = 2) -> Ended:
    return project.invoke(
        "db.restore", f"--dump={dump}", *words, INVOKE_DB_JOBS=str(jobs)
    )


LETTERS = """
CREATE TABLE letters (id int PRIMARY KEY, owner text);
INSERT INTO letters SELECT i, 'o' || i % 3 FROM generate_series(1, 30) i;
ALTER TABLE letters ENABLE ROW LEVEL SECURITY;
"""
COUNT = "SELECT count(*) FROM letters;"


# Left out, and said: of one restore, which these tests only read.


IN_PLACE = "SET allow_in_place_tablespaces = true;"
MUCH = f"""{LETTERS}
CREATE TABLE visits (id int PRIMARY KEY USING INDEX TABLESPACE "quick 1", at date)
  TABLESPACE "quick 1";
INSERT INTO visits SELECT i, date '2024-01-01' + i FROM generate_series(1, 100) i;
CREATE INDEX visits_at ON visits (at) TABLESPACE "quick 1";
CREATE TABLE parts (id int) PARTITION BY LIST (id) TABLESPACE "quick 1";
CREATE MATERIALIZED VIEW seen TABLESPACE "quick 1" AS SELECT count(*) FROM visits;

CREATE ROLE visitor; CREATE ROLE "Guest ""A"" 1";
CREATE POLICY own ON letters FOR SELECT TO visitor USING (owner = current_user);
COMMENT ON POLICY own ON letters IS 'mine';
CREATE POLICY guests ON letters AS RESTRICTIVE TO visitor, "Guest ""A"" 1"
  WITH CHECK (false);
CREATE POLICY everybody ON letters USING (id > 1);

CREATE PUBLICATION p FOR TABLE letters; COMMENT ON PUBLICATION p IS 'out';
CREATE SCHEMA s; CREATE PUBLICATION q FOR TABLES IN SCHEMA s;
CREATE PUBLICATION "all" FOR ALL TABLES;

CREATE FOREIGN DATA WRAPPER away; CREATE SERVER wh FOREIGN DATA WRAPPER away;
CREATE USER MAPPING FOR postgres SERVER wh OPTIONS (password 'swordfish');
CREATE FOREIGN TABLE theirs (id int) SERVER wh;
CREATE VIEW through AS SELECT * FROM theirs;
CREATE MATERIALIZED VIEW overview AS SELECT * FROM through WITH NO DATA;
CREATE MATERIALIZED VIEW above AS SELECT * FROM overview WITH NO DATA;
CREATE MATERIALIZED VIEW own AS SELECT * FROM letters;
UPDATE pg_class SET relispopulated = true WHERE relname IN ('overview', 'above');

CREATE FUNCTION before_heroku() RETURNS event_trigger LANGUAGE plpgsql AS
  'BEGIN END';
CREATE EVENT TRIGGER own ON ddl_command_end EXECUTE FUNCTION before_heroku();
COMMENT ON EVENT TRIGGER own IS 'mine';
CREATE SCHEMA _heroku;
CREATE FUNCTION _heroku.create_ext() RETURNS event_trigger LANGUAGE plpgsql AS
  'BEGIN END';
CREATE EVENT TRIGGER theirs ON ddl_command_end EXECUTE FUNCTION _heroku.create_ext();
COMMENT ON EVENT TRIGGER theirs IS 'theirs';
"""
GONE = 'DROP TABLESPACE "quick 1"; DROP ROLE visitor; DROP ROLE "Guest ""A"" 1";'


@dataclass
class Without:
    """A restore of that, and the database that it has made."""

    target: Target
    err: str


@pytest.fixture(scope="module", params=in_turn(HERE, JOBS))
def without(
    request: pytest.FixtureRequest,
    world: World,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Without]:
    name, jobs = request.param
    on = world.modern if name == "wheel" else world.others[int(name)]
    folder = tmp_path_factory.mktemp("without")
    on.sql("postgres", f"{IN_PLACE} CREATE TABLESPACE \"quick 1\" LOCATION '';")
    dump = dumped(on, MUCH, folder, after=GONE)
    target = Target(on, on.database(OLD))
    project = Project.at(folder / "project", DATABASE_URL=target.url)
    project.secrets = world.secrets

    ended = restore(project, dump, jobs=jobs).succeeds()

    assert target.sql(COUNT) == "30"
    yield Without(target, ended.err)
    on.drop_like(target.name)


def test_tables_of_a_tablespace_that_is_not_here_go_to_the_targets_own(
    without: Without,
) -> None:
    # Two tables, a primary key, an index and a materialized view.
    told = r"Skipped: the tablespace quick 1: .* \(5\)\."
    assert re.search(told, without.err)
    assert without.target.sql("SELECT count(*) FROM visits;") == "100"
    placed = "SELECT count(*) FROM pg_class WHERE reltablespace > 10000;"
    assert without.target.sql(placed) == "0"


def test_policies_for_roles_that_are_not_here_are_left_out_with_the_way_to_have_them(
    without: Without,
) -> None:
    assert without.target.sql("SELECT polname FROM pg_policy;") == "everybody"
    assert 'CREATE ROLE "Guest ""A"" 1"; CREATE ROLE "visitor"' in without.err
    assert "policies for roles that this server lacks" in without.err


def test_what_is_said_goes_where_it_is_said_of(without: Without) -> None:
    told = "SELECT obj_description(oid, 'pg_event_trigger') FROM pg_event_trigger;"
    assert without.target.sql(told) == "mine"
    assert "Heroku's own event triggers (1)" in without.err


def test_publications_and_what_is_said_of_them_are_left_out(without: Without) -> None:
    assert without.target.sql("SELECT count(*) FROM pg_publication;") == "0"
    assert "publications" in without.err


def test_rows_of_a_materialized_view_over_a_foreign_table_are_left_out(
    without: Without,
) -> None:
    told = "SELECT relname FROM pg_class WHERE relkind = 'm' AND NOT relispopulated"
    assert set(without.target.sql(f"{told};").split()) == {"overview", "above"}
    assert "Without the rows of public.overview, public.above." in without.err
    assert without.target.sql("SELECT count(*) FROM own;") == "30"


# Refused until it is tolerated, or restored whatever is there.


@pytest.mark.parametrize("on", ONE, indirect=True)
def test_a_policy_for_a_role_that_is_here_and_one_that_is_not_is_refused_before(
    on: Watched, target: Target, project: Project, tmp_path: Path
) -> None:
    sql = f"""{LETTERS}
CREATE ROLE visitor; CREATE ROLE guest;
CREATE POLICY own ON letters TO pg_monitor, visitor;
CREATE POLICY theirs ON letters TO guest, pg_monitor;
"""
    dump = dumped(on, sql, tmp_path, after="DROP ROLE visitor; DROP ROLE guest;")

    with target.unasked():
        ended = restore(project, dump)
    ended.refuses(
        "POLICY letters own, POLICY letters theirs",
        'CREATE ROLE "guest"; CREATE ROLE "visitor"',
    )

    restore(project, dump, "--tolerate=POLICY *").succeeds()
    assert target.sql("SELECT count(*) FROM pg_policy;") == "0"


@pytest.mark.parametrize(
    ("place", "jobs", "on"), in_turn(PLACES, JOBS, HERE), indirect=["on"]
)
def test_a_dump_of_the_schema_public_alone_is_restored(
    on: Watched,
    target: Target,
    project: Project,
    tmp_path: Path,
    place: tuple[str, ...],
    jobs: int,
) -> None:
    sql = f"{LETTERS}COMMENT ON SCHEMA public IS 'ours';"
    dump = dumped(on, sql, tmp_path, "-Fc", "--no-owner", "-n", "public")

    for _ in range(2):
        restore(project, dump, *place, jobs=jobs).succeeds()

    assert target.sql(COUNT) == "30"
    told = "SELECT obj_description('public'::regnamespace, 'pg_namespace');"
    assert target.sql(told) == "ours"


@pytest.mark.parametrize(("place", "on"), in_turn(PLACES, HERE), indirect=["on"])
def test_a_comment_on_a_schema_that_is_not_ours_does_not_end_a_restore(
    on: Watched,
    small: tuple[Target, str],
    make_project: Callable[..., Project],
    tmp_path: Path,
    place: tuple[str, ...],
) -> None:
    target, url = small
    # As on every server before 15, and where a newer one was upgraded from those.
    target.sql("ALTER SCHEMA public OWNER TO postgres;")
    target.sql("GRANT ALL ON SCHEMA public TO public;")
    dump = dumped(on, f"{LETTERS}COMMENT ON SCHEMA public IS 'ours';", tmp_path)
    target.sql("DROP TABLE notes;")

    restore(make_project(DATABASE_URL=url), dump, *place).succeeds()

    assert target.sql(COUNT) == "30"


# Refused before anything is done.


@pytest.mark.parametrize("on", ONE, indirect=True)
def test_tables_that_are_not_there_are_refused_with_those_that_are_alike(
    target: Target, project: Project, on: Watched, tmp_path: Path
) -> None:
    dump = dumped(on, LETTERS + "CREATE TABLE notes (id int);", tmp_path)
    for words, remedy in (
        ("--skip-data=leters", r"Did you mean letters\?"),
        ("--skip-data=notes,public.leters", r"Did you mean public\.letters\?"),
        ("--skip-data=letters notes", "Commas separate"),
        ("--skip-data=xyz", "pg_restore -l"),
    ):
        with target.unasked():
            ended = restore(project, dump, words)
        ended.refuses("the dump has no table ", remedy)

    ended = project.invoke(
        "db.restore", f"--dump={dump}", INVOKE_DB_SKIP_DATA="leters,notes"
    ).succeeds()
    assert (
        ended.err.count("skip_data: no table fits leters; did you mean letters?") == 1
    )
    assert ended.err.count("leters") == 1


@pytest.mark.skipif(not WITH_ICU, reason=POSTGRES)
def test_what_the_server_was_built_without_is_told_before(
    world: World,
    make_target: Callable[..., Target],
    make_project: Callable[..., Project],
    tmp_path: Path,
) -> None:
    [other] = world.others.values()
    sql = """
CREATE TABLE docs (id int, doc xml); INSERT INTO docs VALUES (1, '<a/>');
CREATE TABLE packed (t text COMPRESSION lz4); CREATE TABLE xml (xml text);
CREATE COLLATION german (provider = icu, locale = 'de');
CREATE TABLE words (w text COLLATE "de-x-icu");
"""
    dump = dumped(other, sql, tmp_path)
    target = make_target(world.modern)
    project = make_project(DATABASE_URL=target.url)

    with target.unasked():
        ended = restore(project, dump)
    ended.refuses(
        "lz4, for TABLE packed; ICU, for COLLATION german, TABLE words;"
        " XML, for TABLE DATA docs",
        "Name a database of a PostgreSQL that has it",
    )

    there = make_target(other)
    restore(make_project(DATABASE_URL=there.url), dump).succeeds()
    patterns = "TABLE packed,TABLE words,COLLATION german"
    skipped = ("--skip-data=docs", f"--tolerate={patterns}")
    restore(project, dump, *skipped).succeeds()


# What failed: told all at once, and gone on without where that is asked for.

FAILING = f"""{LETTERS}
CREATE TABLE bad (id int, n int); INSERT INTO bad VALUES (1, 5), (2, 6);
CREATE TABLE missing (id int PRIMARY KEY); INSERT INTO missing VALUES (1);
CREATE TABLE needs (id int REFERENCES missing); INSERT INTO needs VALUES (1);
CREATE VIEW over AS SELECT * FROM missing;
CREATE FUNCTION half(text) RETURNS int LANGUAGE plpgsql AS
  $$ BEGIN RETURN (SELECT count(*) FROM letters); END $$;
CREATE MATERIALIZED VIEW overview AS SELECT half('a') AS n WITH NO DATA;
UPDATE pg_class SET relispopulated = true WHERE relname = 'overview';
CREATE FUNCTION two(int, text) RETURNS int LANGUAGE sql AS 'SELECT 1';
"""
CHANGED = [
    # One byte or another of the table of contents: what a server of today refuses.
    (b'CREATE TABLE "public"."missing"', b'CREATE TABLE "publik"."missing"'),
    (b'CREATE FUNCTION "public"."two"', b'CREATE FUNCTION "publik"."two"'),
    (b'COPY "public"."bad" ("id", "n")', b'COPY "public"."bad" ("id", "m")'),
]


@pytest.fixture(scope="module")
def failing(on: Watched, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dump of which several entries can't be restored, one of them with rows."""
    folder = tmp_path_factory.mktemp("failing")
    dump = dumped(on, FAILING, folder, *AS_HEROKU, "-Z0")
    content = dump.read_bytes()
    for old, new in CHANGED:
        assert content.count(old) == 1, old
        content = content.replace(old, new)
    dump.write_bytes(content)
    return dump


@pytest.mark.parametrize(("jobs", "on"), in_turn(JOBS, HERE), indirect=["on"])
def test_all_that_fails_is_told_at_once_and_the_old_database_stays(
    target: Target, project: Project, failing: Path, jobs: int
) -> None:
    with target.untouched():
        ended = restore(project, failing, jobs=jobs)

    assert ended.code == 1
    assert "Restoring failed at 4 entries of the dump" in ended.err
    # pg_dump of 15 quotes all names in those of functions, too.
    told = re.sub(r'"(two|integer|text)"', r"\1", ended.err)
    for one in (
        'TABLE missing: schema "publik" does not exist',
        'FUNCTION two(integer, text): schema "publik" does not exist',
        'TABLE DATA bad: column "m" of relation "bad" does not exist',
        'MATERIALIZED VIEW DATA overview: relation "letters" does not exist',
    ):
        assert f"\n  {one}" in told
    assert "more failed because of these" in ended.err
    assert "VIEW over" not in ended.err
    assert "the new database would lack the rows of bad" in ended.remedy
    assert "FUNCTION two(integer? text)," in told


@pytest.mark.parametrize(
    ("place", "jobs", "on"), in_turn(PLACES, JOBS, HERE), indirect=["on"]
)
def test_a_user_goes_on_without_what_is_named_and_that_is_recorded(
    target: Target,
    project: Project,
    failing: Path,
    place: tuple[str, ...],
    jobs: int,
) -> None:
    words = (
        "--tolerate=TABLE missing,FUNCTION *two*,TABLE DATA public.bad,"
        "MATERIALIZED VIEW DATA over*,VIEW nothing",
        *place,
    )

    ended = restore(project, failing, *words, jobs=jobs).succeeds()

    assert target.sql(COUNT) == "30"
    assert target.sql("SELECT count(*) FROM bad;") == "0"
    assert target.sql("SELECT count(*) FROM needs;") == "1"
    assert target.sql("SELECT to_regclass('missing') IS NULL;") == "t"
    assert "The rows of public.bad, public.missing are missing" in ended.err
    assert "tolerate: nothing in the dump fits VIEW nothing." in ended.err
    told = project.invoke("db.backups", "--app=staging").err
    told = re.sub(r'"(two|integer|text)"', r"\1", told)
    assert "without FUNCTION two(integer, text), TABLE missing, VIEW over" in told


@pytest.mark.parametrize(("jobs", "on"), in_turn(JOBS, HERE), indirect=["on"])
def test_what_is_not_named_ends_it_though_other_things_are(
    target: Target, project: Project, failing: Path, jobs: int
) -> None:
    words = "--tolerate=TABLE missing,*FUNCTION*two*,*DATA over*"
    with target.untouched():
        ended = restore(project, failing, words, jobs=jobs)

    ended.refuses("Restoring failed at TABLE DATA bad: column", "TABLE DATA bad")


@pytest.mark.parametrize("on", ONE, indirect=True)
def test_a_table_is_never_gone_without_though_it_follows_from_what_may_be_absent(
    on: Watched, target: Target, project: Project, tmp_path: Path
) -> None:
    sql = """
CREATE TYPE mood AS ENUM ('a'); CREATE TABLE t (m mood); INSERT INTO t VALUES ('a');
"""
    dump = dumped(on, sql, tmp_path)
    content = dump.read_bytes()
    old = b'CREATE TYPE "public"."mood"'
    dump.write_bytes(content.replace(old, b'CREATE TYPE "publik"."mood"'))

    with target.untouched():
        ended = restore(project, dump)
    ended.refuses("at 2 entries", "--tolerate='TYPE mood,TABLE t' goes on")

    with target.untouched():
        ended = restore(project, dump, "--tolerate=TYPE mood")
    ended.refuses("Restoring failed at TABLE t: type", "--tolerate='TABLE t'")
    restore(project, dump, "--tolerate=TYPE mood,TABLE t").succeeds()


@pytest.mark.parametrize("on", ONE, indirect=True)
def test_of_hundreds_that_fail_the_first_few_and_the_number_are_told(
    on: Watched, target: Target, project: Project, tmp_path: Path
) -> None:
    sql = "".join(f"CREATE TABLE t{n} (id int);" for n in range(200))
    dump = dumped(on, sql, tmp_path)
    old, new = b'CREATE TABLE "public"', b'CREATE TABLE "publik"'
    dump.write_bytes(dump.read_bytes().replace(old, new))

    with target.untouched():
        ended = restore(project, dump)

    assert ended.code == 1
    assert "Restoring failed at 200 entries of the dump" in ended.err
    assert "and 190 more\n  (200 more failed because of these)" in ended.err


def test_functions_that_need_a_search_path_are_named_with_what_gives_them_one(
    on: Watched, target: Target, project: Project, tmp_path: Path
) -> None:
    sql = """
CREATE FUNCTION plain(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION "Folded"(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
  'BEGIN RETURN $1; END';
CREATE FUNCTION total() RETURNS bigint LANGUAGE plpgsql AS
  'BEGIN RETURN (SELECT count(*) FROM names); END';
CREATE TABLE names (name text CHECK ("Folded"(name) <> ''));
INSERT INTO names VALUES ('x');
CREATE MATERIALIZED VIEW totals AS SELECT total() WITH NO DATA;
UPDATE pg_class SET relispopulated = true WHERE relname = 'totals';
CREATE OR REPLACE FUNCTION "Folded"(text) RETURNS text IMMUTABLE LANGUAGE plpgsql AS
  'BEGIN RETURN plain($1); END';
"""
    dump = dumped(on, sql, tmp_path)

    with target.untouched():
        ended = restore(project, dump)

    ended.refuses(
        "function plain.text. does not exist",
        r'ALTER FUNCTION public."Folded"\(text\) SET search_path = …;'
        r" ALTER FUNCTION public.total\(\) SET search_path = … in production",
    )
    restore(project, dump, "--tolerate=*DATA names,*DATA totals").succeeds()


# At Heroku the schema heroku_ext is searched.

MEMBERS = """
CREATE SCHEMA heroku_ext;
CREATE EXTENSION citext WITH SCHEMA heroku_ext;
CREATE TABLE members (id int PRIMARY KEY, mail heroku_ext.citext UNIQUE);
INSERT INTO members VALUES (1, 'Ann@Example.com');
"""
ANN = "SELECT count(*) FROM members WHERE mail = 'ann@example.com';"
SET = (
    "SELECT setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase"
)


@pytest.mark.parametrize(("place", "on"), in_turn(PLACES, HERE), indirect=["on"])
def test_a_database_answers_as_at_heroku_and_no_longer_than_its_dump_needs(
    on: Watched,
    target: Target,
    project: Project,
    tmp_path: Path,
    place: tuple[str, ...],
) -> None:
    dump = dumped(on, MEMBERS, tmp_path)
    other = dumped(on, LETTERS, tmp_path)

    for _ in range(2):
        ended = restore(project, dump, *place).succeeds()
        assert re.search(
            r'search_path is (now )?"\$user", public, heroku_ext', ended.err
        )
        assert target.sql(ANN) == "1"
    restore(project, other, *place).succeeds()
    assert target.sql(f"{SET} AND datname = '{target.name}';") == ""


@pytest.mark.parametrize(
    ("own", "on"),
    in_turn(
        [
            "ALTER DATABASE {} SET search_path = public, mine;",
            "ALTER ROLE postgres IN DATABASE {} SET search_path = public, mine;",
        ],
        HERE,
    ),
    indirect=["on"],
)
def test_a_search_path_of_the_targets_own_stays_and_what_it_lacks_is_said(
    on: Watched, target: Target, project: Project, tmp_path: Path, own: str
) -> None:
    target.sql(own.format(target.name))
    dump = dumped(on, MEMBERS, tmp_path)

    for _ in range(2):
        ended = restore(project, dump).succeeds()

        assert "Its own search_path lacks heroku_ext" in ended.err
        found = target.sql(f"{SET} AND datname = '{target.name}';")
        assert found == '{"search_path=public, mine"}'


# In place, for a role that may not create databases.


@pytest.mark.parametrize("on", ONE, indirect=True)
def test_in_place_works_as_often_as_one_likes(
    on: Watched,
    small: tuple[Target, str],
    make_project: Callable[..., Project],
    tmp_path: Path,
) -> None:
    target, url = small
    on.sql("postgres", f"ALTER ROLE {url.split('/')[2].split(':')[0]} NOCREATEDB;")
    target.sql("DROP TABLE notes; CREATE EXTENSION citext; CREATE EXTENSION dblink;")
    sql = """
CREATE EXTENSION citext; CREATE EXTENSION dblink; CREATE EXTENSION hstore;
CREATE TABLE t (id int PRIMARY KEY, mail citext, more hstore);
INSERT INTO t VALUES (1, 'x'); CREATE TABLE mine (id int);
"""
    dump = dumped(on, sql, tmp_path)
    project = make_project(DATABASE_URL=url)

    for _ in range(2):
        restore(project, dump, "--in-place").succeeds()

    assert target.sql("SELECT mail FROM t;") == "x"
    # dblink is untrusted, and there already, but not where the dump wants it.
    elsewhere = sql.replace("dblink;", "dblink WITH SCHEMA away;")
    away = dumped(on, f"CREATE SCHEMA away; {elsewhere}", tmp_path)
    before = on.changes()
    ended = restore(project, away, "--in-place")
    assert on.changes() == before
    ended.refuses("dblink in the schema away", "SET SCHEMA")


# Extensions that make schemas of their own.

EXTENSIONS = {
    "case_ledger": (
        "relocatable = false\nschema = pg_catalog",
        """
CREATE SCHEMA ledger;
CREATE TABLE ledger.book (id bigserial PRIMARY KEY, note text);
SELECT pg_catalog.pg_extension_config_dump('ledger.book', '');
SELECT pg_catalog.pg_extension_config_dump('ledger.book_id_seq', '');
""",
    ),
    "case_pinned": (
        "relocatable = false\nschema = pinned",
        "CREATE TABLE pin (id int);",
    ),
    "case_guest": ("relocatable = true", "CREATE TABLE guest (id int);"),
    "pg_cron": (
        "relocatable = false\nschema = pg_catalog",
        """
CREATE SCHEMA cron;
CREATE TABLE cron.job (jobid bigserial PRIMARY KEY, command text);
SELECT pg_catalog.pg_extension_config_dump('cron.job', '');
SELECT pg_catalog.pg_extension_config_dump('cron.job_jobid_seq', '');
""",
    ),
}
WITH_SCHEMAS = """
CREATE EXTENSION case_ledger; CREATE EXTENSION case_pinned;
CREATE EXTENSION case_guest WITH SCHEMA ledger;
CREATE SCHEMA heroku_ext; CREATE EXTENSION citext WITH SCHEMA heroku_ext;
CREATE SCHEMA elsewhere; CREATE EXTENSION hstore WITH SCHEMA elsewhere;
INSERT INTO ledger.book (note) VALUES ('mine');
CREATE TABLE ledger.own (id int PRIMARY KEY, mail heroku_ext.citext);
INSERT INTO ledger.own VALUES (1, 'x');
CREATE TABLE t (id int PRIMARY KEY);
"""


@pytest.fixture(scope="module")
def extended(world: World) -> Iterator[Watched]:
    """A server that offers those extensions (18 looks for them in other folders)."""
    on = world.modern
    with tempfile.TemporaryDirectory(prefix="dbpull-test-") as home:
        folder = Path(home, "extension")
        folder.mkdir()
        for one, (control, script) in EXTENSIONS.items():
            text = f"comment = 'a case'\ndefault_version = '1'\n{control}\n"
            (folder / f"{one}.control").write_text(text)
            (folder / f"{one}--1.sql").write_text(script)
        for path in (Path(home), folder):
            path.chmod(0o755)
        where = f"ALTER SYSTEM SET extension_control_path = '{home}:$system';"
        on.sql("postgres", f"{where} SELECT pg_reload_conf();")
        yield on
        reset = "ALTER SYSTEM RESET extension_control_path; SELECT pg_reload_conf();"
        on.sql("postgres", reset)


@pytest.mark.parametrize(("place", "jobs"), in_turn(PLACES, JOBS))
def test_extensions_make_their_schemas_themselves(
    extended: Watched,
    make_target: Callable[..., Target],
    make_project: Callable[..., Project],
    tmp_path: Path,
    place: tuple[str, ...],
    jobs: int,
) -> None:
    source = extended.database(WITH_SCHEMAS)
    target = make_target(extended)
    options = ("-Fc", "-N", "heroku_ext", "-N", "elsewhere")
    dump = extended.dump(source, tmp_path / "x.dump", *options)
    project = make_project(DATABASE_URL=target.url)

    for _ in range(2):
        restore(project, dump, *place, jobs=jobs).succeeds()
        target.sql("DROP TABLE IF EXISTS notes;")

        assert extended.likeness(target.name) == extended.likeness(source)
        assert target.sql("SELECT note FROM ledger.book;") == "mine"


@pytest.mark.parametrize("place", PLACES)
def test_pg_cron_is_left_out_with_what_is_built_upon_it(
    extended: Watched,
    make_target: Callable[..., Target],
    make_project: Callable[..., Project],
    tmp_path: Path,
    place: tuple[str, ...],
) -> None:
    sql = f"""{LETTERS}
CREATE EXTENSION pg_cron; INSERT INTO cron.job (command) VALUES ('SELECT 1');
CREATE VIEW jobs AS SELECT * FROM cron.job; CREATE VIEW above AS SELECT * FROM jobs;
COMMENT ON VIEW above IS 'all of them';
CREATE TABLE cron.own (id serial PRIMARY KEY); INSERT INTO cron.own DEFAULT VALUES;
"""
    dump = dumped(extended, sql, tmp_path)
    target = make_target(extended)
    project = make_project(DATABASE_URL=target.url)

    for _ in range(2):
        ended = restore(project, dump, *place).succeeds()

        assert "the extension pg_cron, which can exist in one database" in ended.err
        assert "objects that need pg_cron (2)" in ended.err
        assert target.sql(COUNT) == "30"
        assert target.sql("SELECT id FROM cron.own;") == "1"
        assert target.sql("SELECT to_regclass('jobs') IS NULL;") == "t"
