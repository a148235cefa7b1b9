"""Rows of an old database in a new one: whole tables, keys, triggers, sequences."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from databases import Postgres
from dbpull.errors.kept_rows import AmbiguousTable, KeptRowsClash, NoTableToKeep
from dbpull.errors.postgres import SqlFailed
from dbpull.kept_rows.keeping import KeptRows

SCHEMA = """
CREATE EXTENSION citext; CREATE SCHEMA "Odd"; CREATE SEQUENCE ticket_ids;
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN RAISE 'a trigger fired'; END $$;
CREATE TABLE users (id serial PRIMARY KEY, email citext UNIQUE, boss int
  REFERENCES users, seen date, lowered text GENERATED ALWAYS AS (lower(email)) STORED);
CREATE TABLE teams (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  lead int NOT NULL REFERENCES users, level int GENERATED ALWAYS AS IDENTITY);
ALTER TABLE users ADD team int REFERENCES teams DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE tickets (id int DEFAULT nextval('ticket_ids') PRIMARY KEY, note text,
  found text, sqlstate text);
CREATE TABLE events (at int, note text, PRIMARY KEY (at)) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (100);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE "Odd"."a.b ""c"" :d" (":e" text, "f'g" text[]);
CREATE TABLE animals (name text); CREATE TABLE cats (lives int) INHERITS (animals);
CREATE TRIGGER always BEFORE INSERT OR UPDATE ON users FOR EACH ROW
  EXECUTE FUNCTION refuse();
ALTER TABLE users ENABLE ALWAYS TRIGGER always;
CREATE TRIGGER asleep BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER TABLE users DISABLE TRIGGER asleep;
CREATE TRIGGER each BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION refuse();
CREATE TRIGGER one AFTER INSERT ON events_rest FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER TABLE events_1 DISABLE TRIGGER each;
SET session_replication_role = replica; ALTER TABLE users DISABLE TRIGGER always;
"""
WAKEN = "ALTER TABLE users ENABLE ALWAYS TRIGGER always;"
OLD = """
ALTER TABLE users ADD nick text;
INSERT INTO users (id, email, boss, team, seen) VALUES
  (1, 'Me@shop', 9, 7, '2026-02-01'),
  (9, E'tab\\t\\\\.\\nline', 9, NULL, NULL), (3, 'other@shop', 1, NULL, NULL);
INSERT INTO teams OVERRIDING SYSTEM VALUE VALUES (7, 1, 70);
INSERT INTO tickets VALUES (5, 'mine'), (6, '\\.');
INSERT INTO events VALUES (5, 'early'), (500, 'late');
INSERT INTO "Odd"."a.b ""c"" :d" VALUES ('x', '{a,NULL}');
INSERT INTO cats VALUES ('tom', 9); INSERT INTO animals VALUES ('dog');
CREATE TABLE only_old (id int);
"""
NEW = """
ALTER TABLE users ADD plan text DEFAULT 'free';
INSERT INTO users (id, email, plan)
  VALUES (1, 'production@shop', 'paid'), (2, 'b', 'x');
INSERT INTO events VALUES (5, 'production'); SELECT setval('ticket_ids', 100);
"""
ALL = {
    "users": "email = 'me@SHOP' OR id IN (SELECT boss FROM users) -- my own",
    "teams": "true", "tickets": "note ~ '^(mine|\\\\[.])$'", "public.events": "true",
    'Odd.a.b "c" :d': "true", "animals": "true", "only_old": "true", "later": "true",
}  # fmt: skip
TRIGGERS = "SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger ORDER BY 1, 2"


def new_and_old(on: Postgres, new: str = NEW, old: str = OLD) -> tuple[str, str]:
    waken = f"SET session_replication_role = origin; {WAKEN}"
    return (
        on.database(f"{SCHEMA}{new}{waken}"),
        on.database(f"{SCHEMA}{old}{waken}"),
    )


def bring(
    on: Postgres, new: str, old: str, names: Mapping[str, str], user: str = "postgres"
) -> tuple[dict[str, int], list[str]]:
    return KeptRows.of(on.psql(old, user), names, {"later"}).bring(new)


def test_rows_come_along_with_all_that_hangs_on_them(postgres: Postgres) -> None:
    new, old = new_and_old(postgres)
    triggers = postgres.sql(new, TRIGGERS)
    postgres.sql("postgres", f"ALTER DATABASE {old} SET DateStyle = 'SQL, DMY'")
    postgres.sql("postgres", f"ALTER DATABASE {new} SET DateStyle = 'SQL, MDY'")

    brought, gone = bring(postgres, new, old, ALL)

    assert brought == {"users": 2, "teams": 1, "tickets": 2, "events": 2,
                       'Odd.a.b "c" :d': 1, "animals": 1}  # fmt: skip
    assert gone == ["only_old"]
    rows = {
        "SELECT id, email, boss, team, seen::text, lowered, plan FROM users"
        " WHERE id <> 9 ORDER BY 1":
            "1|Me@shop|9|7|02/01/2026|me@shop|paid\n2|b||||b|x",
        "SELECT email = E'tab\\t\\\\.\\nline' FROM users WHERE id = 9": "t",
        "TABLE teams": "7|1|70", "TABLE tickets": "5|mine||\n6|\\.||",
        "TABLE events ORDER BY 1": "5|early\n500|late",
        'TABLE "Odd"."a.b ""c"" :d"': "x|{a,NULL}", "SELECT * FROM animals": "dog",
        "SELECT nextval('users_id_seq'), nextval('teams_id_seq'),"
        " nextval('teams_level_seq'), nextval('ticket_ids')": "10|8|71|101",
        "SELECT count(*) FROM pg_namespace WHERE nspname ~ 'dbpull'": "0",
        TRIGGERS: triggers,
    }  # fmt: skip
    assert {query: postgres.sql(new, query) for query in rows} == rows


def test_an_owner_without_privileges_keeps_rows(postgres: Postgres) -> None:
    role = postgres.role()
    script = f"SET ROLE {role}; CREATE TABLE t (id serial PRIMARY KEY, note text);"
    options = f"OWNER {role}"
    new = postgres.database(script, options=options)
    old = postgres.database(f"{script} INSERT INTO t VALUES (4, 'x')", options=options)

    assert bring(postgres, new, old, {"t": "true"}, role) == ({"t": 1}, [])
    assert postgres.sql(new, "TABLE t") == "4|x"


CLASHES = [
    ("", "INSERT INTO users (id, email) VALUES (4, 'me@shop')", "users_email_key",
     "another primary key"),
    ("", "DELETE FROM users; ALTER TABLE users ADD CHECK (id <> 9)", "users_id_check",
     "Correct the condition of users"),
    ("ALTER TABLE users DROP seen", "ALTER TABLE users ALTER seen SET NOT NULL",
     "(the column seen, which|users_seen_not_null)", "Correct"),
    ("DELETE FROM teams", "SELECT", "users_team_fkey", "keep the rows they refer to"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "cause", "remedy"), CLASHES)
def test_what_clashes_fails_without_a_value(
    postgres_18: Postgres, old: str, new: str, cause: str, remedy: str
) -> None:
    there, here = new_and_old(postgres_18, f"{new};", f"{OLD}{old};")
    names = {"users": "email = 'me@shop' OR id = 9"}
    logged = postgres_18.server.log.stat().st_size

    with pytest.raises(
        KeptRowsClash, match=f"users do not fit .* break {cause}"
    ) as told:
        bring(postgres_18, there, here, names)

    assert remedy in told.value.remedy
    assert "shop" not in str(told.value)
    log = postgres_18.server.log.read_bytes()[logged:].lower()
    assert b"me@shop" not in log


REFUSED = [
    ({"later": "true", "usrs": "true"}, NoTableToKeep, "no table usrs"),
    ({"users": "emial = 'me'"}, SqlFailed, 'users in keep_rows .* "emial" does not'),
    ({"users": "id ="}, SqlFailed, "syntax error"),
    ({"users": "true); DELETE FROM users; SELECT (true"}, SqlFailed, "read-only"),
    ({"twice": "true"}, AmbiguousTable, "twice may be a.twice or b.twice"),
]  # fmt: skip


@pytest.mark.parametrize(("names", "error", "cause"), REFUSED)
def test_what_can_not_be_is_refused_before(
    postgres_18: Postgres, standing_old: str, names: dict[str, str],
    error: type[Exception], cause: str,
) -> None:  # fmt: skip
    with pytest.raises(error, match=cause):
        KeptRows.of(postgres_18.psql(standing_old), names, {"users", "later"})


@pytest.fixture(scope="module")
def standing_old(postgres_18: Postgres) -> str:
    return postgres_18.database(
        "CREATE TABLE users (id int, email text); CREATE SCHEMA a; CREATE SCHEMA b;"
        "CREATE TABLE a.twice (); CREATE TABLE b.twice ()"
    )


def test_a_row_that_does_not_fit_the_type_fails_without_a_value(
    postgres_18: Postgres,
) -> None:
    old = postgres_18.database("CREATE TABLE t (id text); INSERT INTO t VALUES ('Ann')")
    new = postgres_18.database("CREATE TABLE t (id int)")

    with pytest.raises(SqlFailed, match=r"Copying .* invalid input syntax") as told:
        bring(postgres_18, new, old, {"t": "true"})

    assert "Ann" not in str(told.value)
    assert b"Ann" not in postgres_18.server.log.read_bytes()


def test_an_old_database_that_ends_midway_brings_nothing(postgres_18: Postgres) -> None:
    script = "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (0);"
    old, new = postgres_18.database(script), postgres_18.database(script)

    with pytest.raises(SqlFailed, match="division by zero"):
        bring(postgres_18, new, old, {"t": "1 / id > 0"})

    assert postgres_18.sql(new, "SELECT count(*) FROM t") == "2"
