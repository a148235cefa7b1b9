"""A database with a unique word in every kind of column, and masks for all of them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from databases import Postgres
from dbpull.target.names import Names
from faulty_stand_in import AppConfig, BackupConfig, Config, DatabaseConfig, StandIn
from once import once, shared_folder
from projects import Project
from targets import Watched
from worlds import World

CANARY = "zanary"
SOURCE = """
CREATE EXTENSION citext; CREATE EXTENSION hstore;
CREATE SCHEMA "Odd Schema";
CREATE DOMAIN mail AS citext CHECK (VALUE LIKE '%@%');
CREATE DOMAIN short AS varchar(30);
CREATE TYPE pair AS (a text, b text);
CREATE TABLE users (
  id serial PRIMARY KEY, email mail UNIQUE, name text, username varchar(20) UNIQUE,
  phone text UNIQUE, password text, bio text, token char(40) UNIQUE, home short,
  lowered text GENERATED ALWAYS AS (lower(name)) STORED, born date, seen timestamptz,
  ip inet, ip6 text, key uuid UNIQUE, tags text[], mails varchar(40)[], couple pair,
  extra hstore, raw bytea, plain json, doc jsonb, found tsvector, site text,
  staff boolean DEFAULT false, reference text, card text, iban text, pin text,
  city text, street text, company text, job text, postcode varchar(5), first text,
  last text, age int,
  rank text NOT NULL DEFAULT 'none' CHECK (length(rank) > 2));
CREATE UNIQUE INDEX ON users (lower(email::text));
CREATE TABLE orders (id int, user_email citext, note text);
CREATE TABLE events (at int, actor text) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM (0) TO (1000);
CREATE TABLE events_rest PARTITION OF events DEFAULT;
CREATE TABLE animals (name text);
CREATE TABLE cats (lives int) INHERITS (animals);
CREATE TABLE "Odd Schema"."Gift ""Big"" Cards" ("cardNo" text, "a:b" text);
CREATE UNLOGGED TABLE sessions (data text);
CREATE TABLE letters (body text, sender text);
CREATE VIEW names AS SELECT name, lowered FROM users;
CREATE MATERIALIZED VIEW kept_names AS SELECT name FROM names;
CREATE STATISTICS both_names ON name, bio FROM users;
INSERT INTO users (email, name, username, phone, password, bio, token, home, born, seen,
  ip, ip6, key, tags, mails, couple, extra, raw, plain, doc, found, site, staff,
  reference, card, iban, pin, city, street, company, job, postcode, first, last, age,
  rank)
SELECT 'Zanary' || g || '@Real.example', 'Zanary ' || g, 'zanary' || g, 'zanary' || g,
  'zanary' || g, 'zanary ' || g, md5(g::text) || 'zanary' , 'zanary ' || g,
  '1999-02-02', '1999-02-02 10:00+02', '10.9.8.7', 'fe80::zanary',
  md5('zanary' || g)::uuid, ARRAY['zanary', '', 'b', NULL],
  ARRAY['zanary@real.example'], '(zanary,x)'::pair, 'a=>zanary'::hstore, 'zanary',
  '{"a": "zanary", "b": 1}',
  '{"phone": "zanary", "company": {"vat_id": "zanary", "name": "ours"},
    "people": [{"mail": "zanary1"}, {"mail": ["zanary2", 3]}], "ok": false, "n": 5}',
  to_tsvector('simple', 'zanary'), 'https://zanary', g = 3, 'zanary' || g, 'zanary',
  'zanary', 'zanary', 'zanary', 'zanary', 'zanary', 'zanary', 'zanar', 'zanary',
  'zanary', 33, 'zanary'
FROM generate_series(1, 50) g;
INSERT INTO users (name, bio, phone) VALUES (NULL, '', ''), ('', NULL, NULL);
INSERT INTO users (doc) VALUES ('[{"phone": "zanary"}, "b"]'), ('null'), ('"plain"');
INSERT INTO orders SELECT id, email, 'zanary' FROM users WHERE email IS NOT NULL;
ALTER TABLE orders ADD FOREIGN KEY (user_email) REFERENCES users (email);
INSERT INTO events SELECT g * 100, 'zanary' || g FROM generate_series(1, 20) g;
INSERT INTO animals VALUES ('zanary'); INSERT INTO cats VALUES ('zanary', 7);
INSERT INTO "Odd Schema"."Gift ""Big"" Cards" VALUES ('zanary', 'zanary');
INSERT INTO letters SELECT repeat(md5(g::text) || 'zanary', 30), 'zanary' || g
FROM generate_series(1, 1200) g;
INSERT INTO sessions VALUES ('zanary');
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
  $$ BEGIN NEW.bio := 'shouted'; RETURN NEW; END $$;
CREATE TRIGGER shout BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION shout();
REFRESH MATERIALIZED VIEW kept_names;
ANALYZE;
"""
JSON = {
    "drop": ["phone", "company.vat_id"],
    "fake": {"people.mail": "email"},
    "set": {"ok": True},
    "empty": ["n"],
}
MASK: dict[str, Any] = {
    "users.email": "email", "users.name": "name", "username": "username",
    "users.phone": {"phone": {"from": "id"}}, "users.password": "password",
    "users.bio": "text", "users.token": "token", "home": "street", "born": "birthday",
    "seen": None, "ip": "ip", "ip6": "ip", "key": "uuid", "tags": "token",
    "mails": "email", "couple": {"value": "(,)"}, "extra": "blank", "raw": "blank",
    "plain": {"json": {"fake": {"a": "token"}}}, "doc": {"json": JSON},
    "found": "blank", "site": "url", "lowered": "name", "card": "card", "iban": "iban",
    "reference": {"sql": "left(username, 3) || id || coalesce(nullif(pin, pin), ':x')"},
    "pin": "digits", "city": "city", "users.street": "street", "company": "company",
    "job": "job", "postcode": "postcode", "users.first": "first_name",
    "users.last": "last_name", "note": {"value": "hidden"}, "actor": "username",
    "animals.name": "first_name", "Odd Schema.Gift*.*": "token",
    "body": "text", "sender": "name", "sessions.data": "token", "age": {"value": 7},
    "rank": "token",
}  # fmt: skip
KEPT = {"users": "staff AND email LIKE '%@REAL.example'"}
UNMASKED = Path(__file__).with_name("canaries_kept.txt").read_text(encoding="utf-8")
"""Every column that somebody must decide about, as if all of them were kept."""
EMAILS = "SELECT count(*) FROM users WHERE email LIKE 'u%@example.com'"
FORMATS = {"dump": ("-Fc",), "plain": ("-Fc", "-Z0"), "tar": ("-Ft",)}
# The wheel's pg_dump only; the values are in the table of contents.
WITH_STATISTICS = ("-Fc", "--statistics")


def dumped(on: Postgres) -> dict[str, Path]:
    """Dumps of such a database in each format, made once; its server is no target's."""
    options = {**FORMATS, "statistics": WITH_STATISTICS}

    def make(folder: Path) -> None:
        source = on.database(SOURCE)
        for name, given in options.items():
            on.dump(source, folder / f"{name}.dump", *given)

    made = once(shared_folder() / "canaries", make)
    return {name: made / f"{name}.dump" for name in options}


@contextmanager
def offered(world: World, dumps: Mapping[str, Path]) -> Iterator[StandIn]:
    """A Heroku that has an app for each of these dumps."""
    url = world.modern.url("shop")
    apps = tuple(
        AppConfig(
            name,
            databases=(DatabaseConfig(f"postgresql-{name}", url),),
            backups=(BackupConfig(number=1, dump=str(at)),),
        )
        for name, at in dumps.items()
    )
    pg_dump = world.modern.program("pg_dump")
    with StandIn.start(Config(apps, pg_dump=pg_dump, dump_at_start=False)) as heroku:
        yield heroku


def write(project: Project, **settings: Any) -> None:
    """Write invoke.yaml: JSON is YAML. With masks, what has no rule there is kept."""
    project.configure(json.dumps({"db": {"jobs": 2, **settings}}))
    kept = project.folder / "kept-columns.txt"
    kept.unlink(missing_ok=True)
    if "mask" in settings:
        kept.write_text(UNMASKED, encoding="utf-8")


def holding(server: Watched, dbname: str = "", logged: int = 0) -> list[str]:
    """The server's files that hold a raw value: tables, WAL, log; or a database's.

    `logged` is how many bytes of the log are another test's, whose rows may be in it.
    """
    server.sql("postgres", "CHECKPOINT;")
    folder = server.server.data
    if dbname:
        folder = folder / "base" / str(server.oids()[dbname])
    found = [path for path, state in _files(str(folder)) if _holds(path, state)]
    if CANARY.encode() in lowered(server.server.log)[logged:]:
        found.append(str(server.server.log))
    return [Path(path).name for path in found]


def _files(folder: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """All files below, and their states; thousands, so as text and not as Paths."""
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
                continue
            with suppress(FileNotFoundError):
                found = entry.stat()
                yield entry.path, (found.st_ino, found.st_size, found.st_mtime_ns)


def _holds(path: str, state: tuple[int, ...]) -> bool:
    """Whether a file holds it. In which state one does not is noted, and known."""
    if _clean.get(path) == state:
        return False
    holds = CANARY.encode() in lowered(Path(path))
    if not holds:
        _clean[path] = state
    return holds


_clean: dict[str, tuple[int, ...]] = {}
"""100 MB are read but once."""


# The word in two parts: a statement that is ended may be in the log.
LOOK = f"""
SELECT format('SELECT %L FROM ONLY %s t WHERE t::text ILIKE concat(%L, %L) LIMIT 1;',
  oid::regclass, oid::regclass, '%{CANARY[:3]}', '{CANARY[3:]}%')
FROM pg_class WHERE relkind IN ('r', 'm') AND oid >= 16384 \\gexec
"""


@contextmanager
def looking(server: Watched, start: str) -> Iterator[list[str]]:
    """Have a superuser look at all databases whose names begin so, all along.

    The list gets a look's database, and the tables in which it saw a raw value. One
    that is not being filled is looked at once, under each name.
    """
    looks: list[str] = []
    ended = threading.Event()
    seen: set[tuple[str, int]] = set()

    def look() -> None:
        while not ended.wait(0.1):
            for found in server.oids().items():
                dbname, _ = found
                if dbname.startswith(start) and found not in seen:
                    with suppress(AssertionError):  # gone or locked meanwhile
                        looks.append(f"{dbname}: {server.sql(dbname, LOOK)}")
                        seen.update([found] if dbname != Names(start).aside else [])

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield looks
    finally:
        ended.set()
        watcher.join()


def lowered(path: Path) -> bytes:
    try:
        return path.read_bytes().lower()
    except FileNotFoundError:
        return b""
