-- Databases for test_kinds.py: each `-- #` begins another one, or a schema of one.

-- # kinds
-- Every kind of object that pg_dump knows and a developer may make. Not here: comments on
-- extensions and on event triggers, which dbpull leaves out by intent; configuration
-- tables of extensions, of which contrib has none; what stands under `# races`.
SET client_min_messages = error; -- a publication complains of wal_level
SELECT current_setting('server_version_num')::int >= 180000 AS since_18 \gset

CREATE SCHEMA heroku_ext;
CREATE EXTENSION citext WITH SCHEMA heroku_ext;
CREATE EXTENSION btree_gist WITH SCHEMA heroku_ext;
CREATE EXTENSION hstore;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION ltree;
CREATE SCHEMA "Über uns";
CREATE SCHEMA "a ""quoted"" one";
CREATE SCHEMA empty;
CREATE ACCESS METHOD piles TYPE TABLE HANDLER heap_tableam_handler;

-- Types, functions, operators

CREATE TYPE mood AS ENUM ('sad', 'ok', 'très heureux');
ALTER TYPE mood ADD VALUE 'so so' BEFORE 'ok';
CREATE TYPE "Über uns"."Adresse" AS (street text, "Ort" text COLLATE "C");
CREATE TYPE spans AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE FUNCTION is_code(text) RETURNS bool IMMUTABLE LANGUAGE sql
  AS $$ SELECT $1 ~ '^[a-z0-9]+$' $$;
CREATE FUNCTION is_long(text) RETURNS bool IMMUTABLE LANGUAGE plpgsql
  AS $$ BEGIN RETURN length($1) >= 3 AND public.is_code($1); END $$;
CREATE DOMAIN code AS text COLLATE "C" DEFAULT 'abc' NOT NULL
  CONSTRAINT "is a code" CHECK (is_code(VALUE)) CHECK (is_long(VALUE));
CREATE DOMAIN codes AS code[] CHECK (cardinality(VALUE) < 9);
CREATE FUNCTION next_code() RETURNS text LANGUAGE sql
  AS $$ SELECT 'c' || substr(md5(random()::text), 1, 6) $$;
CREATE FUNCTION doubled(i int, OUT twice int, OUT "Wort" text) LANGUAGE sql
  BEGIN ATOMIC SELECT i * 2 AS twice, 'zwei'::text AS "Wort"; END;
CREATE PROCEDURE nothing(INOUT a int DEFAULT 5) LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE AGGREGATE product(int) (SFUNC = int4mul, STYPE = int, INITCOND = '1');
CREATE FUNCTION abs_lt(int, int) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT abs($1) < abs($2)';
CREATE FUNCTION abs_eq(int, int) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT abs($1) = abs($2)';
CREATE FUNCTION abs_gt(int, int) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT abs($1) > abs($2)';
CREATE FUNCTION abs_cmp(int, int) RETURNS int IMMUTABLE LANGUAGE sql
  AS 'SELECT sign(abs($1) - abs($2))::int';
CREATE OPERATOR |<| (LEFTARG = int, RIGHTARG = int, FUNCTION = abs_lt, COMMUTATOR = |>|);
CREATE OPERATOR |>| (LEFTARG = int, RIGHTARG = int, FUNCTION = abs_gt);
CREATE OPERATOR |=| (LEFTARG = int, RIGHTARG = int, FUNCTION = abs_eq);
CREATE FUNCTION abs_le(int, int) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT abs($1) <= abs($2)';
CREATE FUNCTION abs_ge(int, int) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT abs($1) >= abs($2)';
CREATE OPERATOR |<=| (LEFTARG = int, RIGHTARG = int, FUNCTION = abs_le);
CREATE OPERATOR |>=| (LEFTARG = int, RIGHTARG = int, FUNCTION = abs_ge);
CREATE OPERATOR FAMILY sizes USING btree;
CREATE OPERATOR CLASS by_size FOR TYPE int USING btree FAMILY sizes AS
  OPERATOR 1 |<|, OPERATOR 2 |<=|, OPERATOR 3 |=|, OPERATOR 4 |>=|, OPERATOR 5 |>|,
  FUNCTION 1 abs_cmp(int, int);
CREATE CAST (varchar AS mood) WITH INOUT AS ASSIGNMENT;
CREATE FUNCTION to_int(mood) RETURNS int IMMUTABLE LANGUAGE sql
  AS $$ SELECT CASE $1 WHEN 'sad'::public.mood THEN 0 ELSE 1 END $$;
CREATE CAST (mood AS int) WITH FUNCTION to_int(mood);
CREATE COLLATION "Wörter" (provider = libc, locale = 'C');
CREATE TEXT SEARCH DICTIONARY plain (TEMPLATE = simple, stopwords = english);
CREATE TEXT SEARCH CONFIGURATION "Suche" (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION "Suche" ALTER MAPPING FOR asciiword WITH plain, simple;

-- Tables: their columns, constraints and indexes

CREATE TABLE "Über uns"."Die ""A""-Kunden, alle" (
  "Nr." serial CONSTRAINT "Schlüssel der Kunden" PRIMARY KEY,
  "E-Mail" heroku_ext.citext CONSTRAINT "nur einmal" UNIQUE,
  mood mood DEFAULT 'ok', "Adresse" "Über uns"."Adresse", tags hstore, path ltree,
  codes codes, moods mood[], during spans, times tstzrange, extra jsonb DEFAULT '{}',
  code code DEFAULT next_code(), "since 'when'" timestamptz DEFAULT now()
);
INSERT INTO "Über uns"."Die ""A""-Kunden, alle"
  ("E-Mail", "Adresse", tags, path, codes, moods, during, extra, "since 'when'")
  SELECT 'Nr' || i || E'@\t\\.\n\\N\r', ROW ('Straße "' || i || '"', NULL)::"Über uns"."Adresse",
    hstore('a', i::text), 'top.kid'::ltree, '{abc,def}', '{sad,"très heureux"}',
    spans(i, i + 1), '{"a": "\\\\"}', NULL
  FROM generate_series(1, 300) i;
CREATE INDEX "nach Größe" ON "Über uns"."Die ""A""-Kunden, alle" USING gist (during);
CREATE INDEX ON "Über uns"."Die ""A""-Kunden, alle" USING gin (tags, (codes::text[]));
CREATE INDEX "Pfad
in zwei Zeilen" ON "Über uns"."Die ""A""-Kunden, alle" USING gist (path);
CREATE TABLE "a ""quoted"" one"."SELECT" ("from" int PRIMARY KEY, "%s \n" text, gone int);
ALTER TABLE "a ""quoted"" one"."SELECT" DROP COLUMN gone;
INSERT INTO "a ""quoted"" one"."SELECT" VALUES (1, '\.'), (2, E'\\.\n\\.'), (3, '');

CREATE TABLE articles (
  id int GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 7) PRIMARY KEY,
  other bigint GENERATED BY DEFAULT AS IDENTITY (SEQUENCE NAME "Andere" CACHE 3),
  name text COLLATE "Wörter", code code, size int, parent int, owner int,
  gross numeric GENERATED ALWAYS AS (size * 1.19) STORED,
  upper_name text GENERATED ALWAYS AS (upper(name)) STORED,
  CHECK (is_long(code)), CONSTRAINT named UNIQUE (name) INCLUDE (size),
  CONSTRAINT later UNIQUE (other) DEFERRABLE INITIALLY DEFERRED,
  UNIQUE NULLS NOT DISTINCT (code, id),
  FOREIGN KEY (parent) REFERENCES articles ON DELETE SET NULL (parent)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.5, toast.vacuum_truncate = off);
INSERT INTO articles (name, code, size, owner)
  SELECT 'Käse ' || i, 'abc' || i, 150 - i, i FROM generate_series(1, 300) i;
UPDATE articles SET parent = 100 WHERE id > 100;
CREATE INDEX "by size" ON articles (size by_size DESC NULLS LAST, lower(name) COLLATE "C");
CREATE INDEX partial ON articles (is_code(code)) WHERE is_long(name) OR size > 10;
CREATE INDEX found ON articles USING gin (to_tsvector('"Suche"', name));
CREATE INDEX similar_to_it ON articles USING gin (name gin_trgm_ops) WITH (fastupdate = off);
CREATE INDEX blocks ON articles USING brin (size) WITH (pages_per_range = 4);
CREATE INDEX hashed ON articles USING hash (code);
ALTER INDEX "by size" ALTER COLUMN 2 SET STATISTICS 300;
ALTER TABLE articles CLUSTER ON "by size";
ALTER TABLE articles ALTER name SET STATISTICS 400, ALTER name SET STORAGE external,
  ALTER name SET COMPRESSION pglz, ALTER size SET (n_distinct = -0.5);
ALTER TABLE articles ADD CONSTRAINT "not yet" CHECK (size > 0) NOT VALID;
ALTER TABLE articles ADD CONSTRAINT owned FOREIGN KEY (owner)
  REFERENCES "Über uns"."Die ""A""-Kunden, alle" DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "Über uns"."Die ""A""-Kunden, alle" ADD "Bestes" int DEFAULT 107
  CONSTRAINT "im Kreis" REFERENCES articles MATCH FULL ON UPDATE CASCADE DEFERRABLE;
CREATE STATISTICS of_size (mcv, dependencies, ndistinct) ON size, owner FROM articles;
CREATE STATISTICS "of Ausdrücke" ON (size % 10), lower(name) FROM articles;
ALTER STATISTICS of_size SET STATISTICS 50;

CREATE TABLE bookings (
  room int, during tstzrange, level spans, CONSTRAINT "einer zugleich"
  EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0) DEFERRABLE,
  EXCLUDE USING gist (level WITH &&)
);
INSERT INTO bookings SELECT i % 7, tstzrange(d, d + '1 h'), spans(i, i + 1)
  FROM generate_series(1, 200) i, LATERAL (SELECT timestamptz '2024-01-01 00:00Z' + i * interval '1 h') t(d);
CREATE TABLE nowhere (id int);
INSERT INTO nowhere VALUES (404);
ALTER TABLE nowhere ADD CONSTRAINT lost FOREIGN KEY (id) REFERENCES articles NOT VALID;

-- Its index reads rows of a table that comes much later in the dump.
CREATE TABLE a_price (code text, price int);
CREATE TABLE z_rates (code text PRIMARY KEY, rate int);
INSERT INTO z_rates SELECT 'c' || i, i FROM generate_series(1, 50) i;
INSERT INTO a_price SELECT 'c' || (1 + i % 50), i FROM generate_series(1, 5000) i;
CREATE FUNCTION rate_of(text) RETURNS int IMMUTABLE LANGUAGE plpgsql
  AS $$ DECLARE found int; BEGIN
    SELECT rate INTO STRICT found FROM public.z_rates WHERE code = $1; RETURN found;
  END $$;
CREATE FUNCTION known(text) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT EXISTS (SELECT FROM public.z_rates WHERE code = $1)';
CREATE INDEX a_price_rate ON a_price (rate_of(code), price);
CREATE INDEX a_price_known ON a_price (price) WHERE known(code);
CREATE STATISTICS a_price_rates ON (rate_of(code)) FROM a_price;

CREATE TABLE nothing_in_it (id serial PRIMARY KEY, note text);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE only_generated (half int GENERATED ALWAYS AS (21) STORED);
INSERT INTO only_generated DEFAULT VALUES;
CREATE TABLE huge (id int, text text);
-- 1.5 MB, of which each line stands five times: gzip makes it less in a fifth of the time.
INSERT INTO huge SELECT 1, string_agg(md5((i / 5)::text), E'\n') FROM generate_series(1, 45000) i;
CREATE UNLOGGED TABLE unlogged (id serial PRIMARY KEY, at timestamptz DEFAULT now());
INSERT INTO unlogged SELECT i, NULL FROM generate_series(1, 40) i;
CREATE TABLE piled (id int, bytes bytea, bits bit(5)) USING piles;
INSERT INTO piled SELECT i, sha256(i::text::bytea), B'10110' FROM generate_series(1, 40) i;
CREATE TABLE typed OF "Über uns"."Adresse" (street WITH OPTIONS DEFAULT 'x' NOT NULL);
INSERT INTO typed VALUES (E'\b\f\v', 'Ü');

-- Partitions, in which a trigger would spoil the rows; and heirs

CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW.total := -1; RETURN NEW; END $$;
CREATE TABLE ledger (at date, id int, total int DEFAULT 0 CHECK (total > -5), area text,
  PRIMARY KEY (at, area, id)) PARTITION BY RANGE (at);
CREATE TABLE ledger_24 PARTITION OF ledger FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
  WITH (fillfactor = 70);
CREATE TABLE "Ledger, später" (dropped int, area text NOT NULL, total int DEFAULT 7
  CONSTRAINT ledger_total_check CHECK (total > -5), id int NOT NULL, at date NOT NULL);
ALTER TABLE "Ledger, später" DROP COLUMN dropped;
ALTER TABLE ledger ATTACH PARTITION "Ledger, später"
  FOR VALUES FROM ('2025-01-01') TO (MAXVALUE);
CREATE TABLE ledger_rest PARTITION OF ledger DEFAULT;
INSERT INTO ledger SELECT date '2023-10-01' + i, i, i, (ARRAY['de', 'fr', 'us'])[1 + i % 3]
  FROM generate_series(1, 900) i;
CREATE INDEX half_made ON ONLY ledger (id);
CREATE INDEX of_one ON ledger_24 (id);
CREATE TABLE lines (at date, area text, ledger_id int, line int, total int,
  PRIMARY KEY (ledger_id, line),
  CONSTRAINT "zum Buch" FOREIGN KEY (at, area, ledger_id) REFERENCES ledger ON DELETE CASCADE
) PARTITION BY HASH (ledger_id);
CREATE TABLE lines_0 PARTITION OF lines FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE lines_1 PARTITION OF lines FOR VALUES WITH (modulus 2, remainder 1);
INSERT INTO lines SELECT at, area, id, 1, 5 FROM ledger;
CREATE TRIGGER spoil BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION spoil();
CREATE TRIGGER spoil BEFORE INSERT ON lines_0 FOR EACH ROW WHEN (NEW.line < 9)
  EXECUTE FUNCTION spoil();
CREATE TABLE visits (at date, page text, seconds int) PARTITION BY RANGE (at);
CREATE TABLE visits_24 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')
  PARTITION BY LIST (page);
CREATE TABLE visits_24_ab PARTITION OF visits_24 FOR VALUES IN ('a', 'b')
  PARTITION BY HASH (seconds);
CREATE TABLE visits_24_ab_0 PARTITION OF visits_24_ab FOR VALUES WITH (modulus 2, remainder 0);
CREATE TABLE visits_24_ab_1 PARTITION OF visits_24_ab FOR VALUES WITH (modulus 2, remainder 1);
CREATE TABLE visits_24_rest PARTITION OF visits_24 DEFAULT;
CREATE TABLE visits_rest PARTITION OF visits DEFAULT;
INSERT INTO visits SELECT date '2023-10-01' + i, chr(97 + i % 5), i
  FROM generate_series(1, 600) i;
CREATE INDEX ON visits_24_ab_0 (page);
CREATE TRIGGER spoil BEFORE INSERT ON visits FOR EACH ROW EXECUTE FUNCTION spoil();
CREATE TABLE areas (area text, n int) PARTITION BY LIST (area);
CREATE TABLE areas_eu PARTITION OF areas FOR VALUES IN ('de', 'fr', NULL);
CREATE TABLE areas_rest PARTITION OF areas DEFAULT;
INSERT INTO areas SELECT area, id FROM ledger UNION ALL SELECT NULL, 0;
CREATE INDEX "Gebiete nach n" ON areas (n) INCLUDE (area);
CREATE INDEX areas_long ON areas (upper(area), n DESC) WHERE n > 60;
CREATE STATISTICS of_visits ON page, seconds FROM visits;
CREATE TABLE animals (id int PRIMARY KEY, total int, CHECK (id > 0) NO INHERIT);
CREATE TABLE birds (wings int DEFAULT 2, total int DEFAULT 3) INHERITS (animals);
CREATE TABLE swimmers (fins int);
CREATE TABLE penguins () INHERITS (birds, swimmers);
CREATE INDEX ON penguins (wings);
INSERT INTO animals SELECT i, 0 FROM generate_series(1, 20) i;
INSERT INTO penguins (id, total, fins) SELECT -i, 0, 2 FROM generate_series(1, 20) i;
CREATE TRIGGER never BEFORE INSERT ON animals FOR EACH ROW EXECUTE FUNCTION spoil();
CREATE TRIGGER always BEFORE INSERT ON penguins FOR EACH ROW EXECUTE FUNCTION spoil();
CREATE TRIGGER as_replica AFTER UPDATE ON nothing_in_it
  REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION spoil();
CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON animals DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION spoil();
ALTER TABLE animals DISABLE TRIGGER never;
ALTER TABLE penguins ENABLE ALWAYS TRIGGER always;
ALTER TABLE nothing_in_it ENABLE REPLICA TRIGGER as_replica;

-- Sequences and large objects

CREATE SEQUENCE free INCREMENT -5 MINVALUE -1000 MAXVALUE 50 START 20 CACHE 4 CYCLE;
CREATE SEQUENCE "Nie gerufen" AS smallint;
CREATE SEQUENCE "a ""quoted"" one".owned OWNED BY
  "a ""quoted"" one"."SELECT"."from";
SELECT setval('free', -40), nextval('free'), setval('"a ""quoted"" one".owned', 9, false),
  setval('"Über uns"."Die ""A""-Kunden, alle_Nr._seq"', 4000), setval('"Andere"', 1 << 30);
SELECT lo_from_bytea(4711, 'small'), lo_from_bytea(4712, ''),
  lo_from_bytea(4713, (SELECT string_agg(sha256(i::text::bytea), '')
    FROM generate_series(1, 36000) i)),
  (SELECT count(lo_from_bytea(5000 + i, sha256(i::text::bytea)))
    FROM generate_series(1, 20) i);
COMMENT ON LARGE OBJECT 4711 IS 'a picture';

-- Views, rules, policies, replication

CREATE VIEW by_article AS -- needs the primary key
  SELECT a.*, count(p.code) AS n FROM articles a LEFT JOIN a_price p USING (code)
  GROUP BY a.id;
CREATE VIEW of_by_article WITH (security_barrier, security_invoker) AS
  SELECT id, n FROM by_article WHERE n >= 0;
CREATE VIEW few AS SELECT * FROM nothing_in_it WHERE id < 5 WITH CASCADED CHECK OPTION;
ALTER VIEW few ALTER note SET DEFAULT 'none';
CREATE TRIGGER instead INSTEAD OF INSERT ON of_by_article FOR EACH ROW
  EXECUTE FUNCTION spoil();
CREATE VIEW round_a AS SELECT 1 AS n;
CREATE VIEW round_b AS SELECT n FROM round_a;
CREATE OR REPLACE VIEW round_a AS SELECT n FROM round_b;
CREATE MATERIALIZED VIEW z_first AS SELECT area, sum(total) AS total FROM ledger GROUP BY 1;
CREATE UNIQUE INDEX "z nach area" ON z_first (area);
CREATE MATERIALIZED VIEW a_second AS SELECT count(*) AS n, sum(total) AS total FROM z_first;
CREATE INDEX ON a_second (rate_of('c' || n));
CREATE MATERIALIZED VIEW keyed AS SELECT * FROM by_article;
CREATE INDEX keyed_id ON keyed (id);
ALTER MATERIALIZED VIEW keyed CLUSTER ON keyed_id;
CREATE FUNCTION sums() RETURNS bigint STABLE LANGUAGE plpgsql
  AS $$ BEGIN RETURN (SELECT sum(total) FROM public.a_second); END $$;
CREATE MATERIALIZED VIEW "Ohne Daten" AS SELECT * FROM z_first WITH NO DATA;
CREATE INDEX ON "Ohne Daten" (total);
CREATE MATERIALIZED VIEW rated WITH (fillfactor = 90) AS
  SELECT code, rate_of(code) AS rate FROM a_price WHERE known(code);
CREATE RULE quiet AS ON DELETE TO articles DO INSTEAD NOTHING;
CREATE RULE "also da" AS ON INSERT TO nothing_in_it WHERE NEW.id = 7
  DO ALSO INSERT INTO nowhere VALUES (NEW.id);
ALTER TABLE nothing_in_it DISABLE RULE "also da";
ALTER TABLE z_rates ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY "nur eigene" ON z_rates AS RESTRICTIVE FOR SELECT USING (known(code));
CREATE POLICY writing ON z_rates FOR UPDATE USING (true) WITH CHECK (rate > 0);
ALTER TABLE a_price REPLICA IDENTITY FULL;
ALTER TABLE nowhere REPLICA IDENTITY NOTHING;
ALTER TABLE z_rates ALTER rate SET NOT NULL;
CREATE UNIQUE INDEX identity_of_it ON z_rates (rate);
ALTER TABLE z_rates REPLICA IDENTITY USING INDEX identity_of_it;

\if :since_18
CREATE TABLE since_18 (
  id int CONSTRAINT "braucht eine Nr." NOT NULL, plain int, price numeric,
  virtual numeric GENERATED ALWAYS AS (price * 2) VIRTUAL, implied int GENERATED ALWAYS AS (5),
  CONSTRAINT unenforced CHECK (price > 1000) NOT ENFORCED,
  CONSTRAINT own NOT NULL price NO INHERIT
);
INSERT INTO since_18 SELECT i, CASE WHEN i > 2 THEN i END, i FROM generate_series(1, 90) i;
ALTER TABLE since_18 ADD CONSTRAINT "not yet null" NOT NULL plain NOT VALID,
  ADD FOREIGN KEY (id) REFERENCES articles NOT ENFORCED;
SET search_path = public, heroku_ext;
CREATE TABLE rooms (id int, open daterange, PRIMARY KEY (id, open WITHOUT OVERLAPS));
CREATE TABLE stays (room int, at daterange, UNIQUE (room, at WITHOUT OVERLAPS),
  CONSTRAINT "während offen" FOREIGN KEY (room, PERIOD at) REFERENCES rooms (id, PERIOD open));
RESET search_path;
INSERT INTO rooms SELECT i, daterange(NULL, '2024-01-01') FROM generate_series(1, 50) i;
INSERT INTO rooms SELECT i, daterange('2024-01-01', NULL) FROM generate_series(1, 50) i;
INSERT INTO stays SELECT id, daterange('2023-05-05', '2024-03-03') FROM rooms GROUP BY id;
CREATE TABLE parts (id int NOT NULL, n int) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
INSERT INTO parts SELECT i, i FROM generate_series(1, 50) i;
ALTER TABLE parts ADD CONSTRAINT parts_to FOREIGN KEY (n) REFERENCES articles NOT VALID;
CREATE COLLATION built_in (provider = builtin, locale = 'C.UTF-8');
CREATE INDEX ON articles (name COLLATE built_in);
\endif

CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert');
CREATE PUBLICATION "some of it" FOR TABLE a_price (code, price) WHERE (code <> 'c5'), ledger
  WITH (publish_via_partition_root);
CREATE PUBLICATION of_one FOR TABLE nowhere, TABLES IN SCHEMA "a ""quoted"" one";

-- Comments: on what is in pg_class and pg_constraint, and on each other kind

SELECT format('COMMENT ON %s %s IS %L', CASE relkind WHEN 'v' THEN 'VIEW'
    WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'i' THEN 'INDEX'
    WHEN 'I' THEN 'INDEX' ELSE 'TABLE' END, c.oid::regclass, E'it''s\n' || relname)
  FROM pg_class c WHERE c.oid >= 16384 AND relkind <> 'c' AND relnamespace NOT IN
    ('pg_toast'::regnamespace) ORDER BY 1 \gexec
SELECT format('COMMENT ON COLUMN %s.%I IS %L', attrelid::regclass, attname, 'die Spalte')
  FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE c.oid >= 16384
    AND attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p', 'v', 'm', 'c')
  ORDER BY 1 \gexec
SELECT format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname, conrelid::regclass, contype)
  FROM pg_constraint WHERE conrelid >= 16384 AND contype <> 't' ORDER BY 1 \gexec
SELECT format('COMMENT ON TRIGGER %I ON %s IS %L', tgname, tgrelid::regclass, tgname)
  FROM pg_trigger WHERE NOT tgisinternal AND tgparentid = 0 ORDER BY 1 \gexec
COMMENT ON SCHEMA public IS 'everybody''s';
COMMENT ON SCHEMA "Über uns" IS 'über';
COMMENT ON TYPE mood IS 'moods';
COMMENT ON TYPE "Über uns"."Adresse" IS 'where';
COMMENT ON TYPE spans IS 'a range';
COMMENT ON DOMAIN code IS 'codes';
COMMENT ON CONSTRAINT "is a code" ON DOMAIN code IS 'checked';
COMMENT ON FUNCTION is_code(text) IS 'a function';
COMMENT ON PROCEDURE nothing(int) IS 'a procedure';
COMMENT ON AGGREGATE product(int) IS 'an aggregate';
COMMENT ON OPERATOR |<| (int, int) IS 'an operator';
COMMENT ON OPERATOR FAMILY sizes USING btree IS 'a family';
COMMENT ON OPERATOR CLASS by_size USING btree IS 'a class';
COMMENT ON CAST (varchar AS mood) IS 'a cast';
COMMENT ON COLLATION "Wörter" IS 'a collation';
COMMENT ON TEXT SEARCH CONFIGURATION "Suche" IS 'a search';
COMMENT ON TEXT SEARCH DICTIONARY plain IS 'a dictionary';
COMMENT ON RULE quiet ON articles IS 'a rule';
COMMENT ON POLICY "nur eigene" ON z_rates IS 'a policy';
COMMENT ON STATISTICS of_size IS 'statistics';
COMMENT ON PUBLICATION everything IS 'a publication';
COMMENT ON ACCESS METHOD piles IS 'a method';

-- Last, since it refuses to have anything made after it.
CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql
  AS $$ BEGIN RAISE 'the event trigger was there before %', tg_tag; END $$;
CREATE EVENT TRIGGER refusing ON ddl_command_end
  WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE INDEX', 'CREATE TRIGGER', 'CREATE VIEW',
    'CREATE RULE', 'CREATE STATISTICS', 'CREATE POLICY') EXECUTE FUNCTION refuse();
CREATE EVENT TRIGGER off ON sql_drop EXECUTE FUNCTION refuse();
ALTER EVENT TRIGGER off DISABLE;

-- # many
DO $$ BEGIN FOR i IN 1..150 LOOP
  EXECUTE format('CREATE TABLE "small %s" (id int PRIMARY KEY, next int, name text)', i);
  EXECUTE format('INSERT INTO "small %s" SELECT g, g, md5(g::text)
    FROM generate_series(1, %s) g', i, i % 40);
  EXECUTE format('CREATE INDEX ON "small %s" (lower(name)) WHERE id > 3', i);
  IF i > 1 THEN
    EXECUTE format('ALTER TABLE "small %s" ADD FOREIGN KEY (next)
      REFERENCES "small %s" NOT VALID', i, i - 1);
  END IF;
END LOOP;
FOR i IN 1..3 LOOP
  EXECUTE format('CREATE TABLE large%s AS SELECT g AS id, g %% 977 AS k,
    md5(g::text) AS a, md5(-g || %L) AS b FROM generate_series(1, 16000) g', i, i);
  EXECUTE format('ALTER TABLE large%s ADD PRIMARY KEY (id), ADD UNIQUE (a),
    ADD FOREIGN KEY (id) REFERENCES large%s (id)', i, greatest(1, i - 1));
  EXECUTE format('CREATE INDEX ON large%s (k, b)', i);
  EXECUTE format('CREATE INDEX ON large%s (lower(b)) WHERE k > 100', i);
  EXECUTE format('CREATE INDEX ON large%s USING hash (a)', i);
END LOOP; END $$;
ALTER TABLE "small 1" ADD FOREIGN KEY (next) REFERENCES "small 150" NOT VALID;

-- # races
-- What a serial pg_restore restores, and `pg_restore -j` at times does not, not even
-- section by section: ALTER INDEX … ATTACH PARTITION and a foreign key to that table
-- wait for each other; a partition's trigger is disabled before its parent's is made.
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql
  AS $$ BEGIN NEW.total := -1; RETURN NEW; END $$;
DO $$ BEGIN FOR i IN 1..6 LOOP
  EXECUTE replace('
    CREATE TABLE l# (at date, id int, total int, PRIMARY KEY (at, id))
      PARTITION BY RANGE (at);
    CREATE TABLE l#_24 PARTITION OF l# FOR VALUES FROM (''2024-01-01'') TO (''2025-01-01'')
      PARTITION BY HASH (id);
    CREATE TABLE l#_24_0 PARTITION OF l#_24 FOR VALUES WITH (modulus 2, remainder 0);
    CREATE TABLE l#_24_1 PARTITION OF l#_24 FOR VALUES WITH (modulus 2, remainder 1);
    CREATE TABLE l#_rest PARTITION OF l# DEFAULT;
    INSERT INTO l# SELECT date ''2023-10-01'' + i, i, i FROM generate_series(1, 900) i;
    CREATE INDEX ON l# (total);
    CREATE TABLE r# AS SELECT at, id FROM l#;
    ALTER TABLE r# ADD FOREIGN KEY (at, id) REFERENCES l#;
    CREATE TRIGGER spoil BEFORE INSERT ON l# FOR EACH ROW EXECUTE FUNCTION spoil();
    ALTER TABLE l#_rest DISABLE TRIGGER spoil;', '#', i::text);
END LOOP; END $$;

-- # ordered
-- Its rows are valid only after those of the table before, which nothing says; a serial
-- pg_restore goes by name.
CREATE TABLE a_codes (code text);
INSERT INTO a_codes SELECT 'c' || i FROM generate_series(1, 2000) i;
CREATE FUNCTION known(text) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT EXISTS (SELECT FROM public.a_codes WHERE code = $1)';
CREATE TABLE b_uses (code text CHECK (known(code)), note text);
INSERT INTO b_uses SELECT 'c' || i, repeat(md5(i::text), 100) FROM generate_series(1, 900) i;

-- # attached
-- Where a partition's index is attached to its parent's, and at the same time that one to
-- the grandparent's, the grandparent's stays invalid, and nothing is told.
DO $$ BEGIN FOR i IN 1..40 LOOP
  EXECUTE replace('
    CREATE TABLE p# (id int, k int) PARTITION BY RANGE (id);
    CREATE TABLE p#_a PARTITION OF p# FOR VALUES FROM (0) TO (50) PARTITION BY LIST (k);
    CREATE TABLE p#_a0 PARTITION OF p#_a FOR VALUES IN (0);
    CREATE TABLE p#_rest PARTITION OF p# DEFAULT;
    INSERT INTO p# SELECT i, 0 FROM generate_series(1, 90) i;
    CREATE INDEX ON p# (id);', '#', i::text);
END LOOP; END $$;

-- # keys
-- Large enough for pg_restores of their own by long rows; keys that are made in two
-- statements, and such as look like it.
CREATE EXTENSION citext WITH SCHEMA public;
CREATE TABLE users (
  id bigint PRIMARY KEY,
  email public.citext NOT NULL UNIQUE,
  code int,
  "Ünïque; (col" text,
  boss bigint,
  favourite bigint,
  filler text,
  CONSTRAINT "odd ""name"", with; (all)" UNIQUE ("Ünïque; (col", code) INCLUDE (boss, "filler")
    WITH (fillfactor='70', deduplicate_items=off),
  CONSTRAINT late UNIQUE (code) DEFERRABLE INITIALLY DEFERRED,
  CONSTRAINT at_will UNIQUE (code, id) DEFERRABLE,
  CONSTRAINT not_distinct UNIQUE NULLS NOT DISTINCT (boss, id)
);
CREATE TABLE "Orders of; a day" (
  id bigint PRIMARY KEY,
  "the user" bigint NOT NULL,
  email public.citext,
  number text,
  filler text
);
INSERT INTO users SELECT g, 'User' || g || '@example.com', g * 2, md5(g::text), 1 + g / 2, g,
  (SELECT string_agg(md5(g || '-' || i), '') FROM generate_series(1, 20) i) FROM generate_series(1, 6000) g;
INSERT INTO "Orders of; a day" SELECT g, g, 'uSER' || g || '@example.com', md5(g::text),
  (SELECT string_agg(md5(g || '-' || i), '') FROM generate_series(1, 20) i) FROM generate_series(1, 6000) g;
CREATE INDEX ON users USING hash (email);
CREATE INDEX ON users (boss, favourite);
CREATE INDEX ON "Orders of; a day" ("the user");
ALTER TABLE users
  ADD CONSTRAINT "boss of; all" FOREIGN KEY (boss) REFERENCES users (id)
    DEFERRABLE INITIALLY DEFERRED,
  ADD FOREIGN KEY (favourite) REFERENCES "Orders of; a day" ON DELETE CASCADE,
  ADD CONSTRAINT never FOREIGN KEY (code) REFERENCES "Orders of; a day" NOT VALID;
ALTER TABLE "Orders of; a day"
  ADD CONSTRAINT number UNIQUE (number),
  ADD FOREIGN KEY ("the user") REFERENCES users ON UPDATE SET NULL,
  ADD FOREIGN KEY (email) REFERENCES users (email) MATCH FULL;
ALTER TABLE users REPLICA IDENTITY USING INDEX users_email_key;
CREATE TABLE parted (id int, day int, filler text, UNIQUE (id, day)) PARTITION BY LIST (day);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES IN (2);
INSERT INTO parted SELECT 1 + g % 6000, 1 + (g > 6000)::int,
  (SELECT string_agg(md5(g || '-' || i), '') FROM generate_series(1, 20) i)
  FROM generate_series(1, 12000) g;
CREATE INDEX ON parted (filler);
ALTER TABLE parted ADD FOREIGN KEY (id) REFERENCES users DEFERRABLE;
ALTER TABLE parted_1 ADD CONSTRAINT own UNIQUE (filler),
  ADD FOREIGN KEY (id) REFERENCES users;

-- # displaced
-- What pg_dump puts behind the rows, though it says "pre-data" of some of it: all that
-- needs a query grouped by a table's key, which needs that key.
CREATE TABLE shops (id int PRIMARY KEY, town text, street text);
CREATE TABLE receipts (id int PRIMARY KEY, shop int REFERENCES shops, cents int);
INSERT INTO shops SELECT i, 'town ' || i, 'street ' || i FROM generate_series(1, 40) i;
INSERT INTO receipts SELECT i, 1 + i % 40, i FROM generate_series(1, 800) i;
CREATE MATERIALIZED VIEW sales AS
  SELECT s.id, s.town, s.street, sum(r.cents) AS cents
  FROM shops s JOIN receipts r ON r.shop = s.id GROUP BY s.id;
CREATE UNIQUE INDEX ON sales (id);
CREATE FUNCTION best() RETURNS SETOF sales LANGUAGE sql STABLE
  AS 'SELECT * FROM public.sales WHERE cents > 8000';
CREATE FUNCTION label(of sales) RETURNS text LANGUAGE sql IMMUTABLE
  AS $$ SELECT of.town || ', ' || of.street $$;
COMMENT ON FUNCTION label(sales) IS 'as on the door';
CREATE VIEW labelled AS SELECT s.id, label(s) FROM sales s;
COMMENT ON VIEW labelled IS 'all of them';
CREATE TYPE of_sales AS (s sales, n int);
COMMENT ON TYPE of_sales IS 'some of them';
CREATE DOMAIN big_sale AS sales CHECK ((VALUE).cents > 0);
CREATE MATERIALIZED VIEW labels AS SELECT label(s) FROM sales s;
CREATE INDEX ON labels (label);
CREATE VIEW by_key AS SELECT s.id, s.town, count(*)
  FROM shops s JOIN receipts r ON r.shop = s.id GROUP BY s.id;
CREATE FUNCTION of_view() RETURNS SETOF by_key LANGUAGE sql
  AS 'SELECT * FROM public.by_key';
CREATE FUNCTION turnover(int) RETURNS bigint LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT sum(r.cents) FROM shops s JOIN receipts r ON r.shop = s.id
    WHERE s.id = $1 GROUP BY s.id ORDER BY s.town; END;
CREATE FUNCTION less(int, int) RETURNS bool LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT coalesce(turnover($1) < turnover($2), false); END;
CREATE OPERATOR <| (LEFTARG = int, RIGHTARG = int, FUNCTION = less);
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION to_pair(int) RETURNS pair LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT row($1, turnover($1)::int)::pair; END;
CREATE CAST (int AS pair) WITH FUNCTION to_pair(int);
CREATE FUNCTION more(bigint, int) RETURNS bigint LANGUAGE sql STABLE
  BEGIN ATOMIC SELECT $1 + coalesce(turnover($2), 0); END;
CREATE AGGREGATE turned(int) (SFUNC = more, STYPE = bigint, INITCOND = '0');
CREATE TABLE asked (id serial PRIMARY KEY, at bigint DEFAULT turnover(3), note text DEFAULT 'x');
INSERT INTO asked (note) SELECT 'n' || i FROM generate_series(1, 30) i;
CREATE TABLE judged (id int CHECK (turnover(id) > 0));
INSERT INTO judged SELECT generate_series(1, 30);
CREATE VIEW lesser AS SELECT a.id AS a, b.id AS b FROM shops a, shops b WHERE a.id <| b.id;
CREATE VIEW all_turned AS SELECT turned(id), (3::pair).b FROM shops;
CREATE MATERIALIZED VIEW turns AS SELECT id, turnover(id) FROM shops;
CREATE PROCEDURE nothing(sales) LANGUAGE plpgsql AS $$ BEGIN END $$;
CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER kept BEFORE UPDATE ON shops FOR EACH ROW WHEN (NEW.id <| OLD.id)
  EXECUTE FUNCTION kept();
CREATE POLICY own ON shops USING (turnover(id) > 1);
CREATE RULE quiet AS ON DELETE TO receipts WHERE turnover(OLD.shop) > 5 DO INSTEAD NOTHING;
CREATE STATISTICS pair ON cents, shop FROM receipts;

-- # judged
-- Tables of whose rows another's must be in, by whatever calls the function that looks.
CREATE TABLE a_codes (code text PRIMARY KEY, filler text);
INSERT INTO a_codes SELECT 'c' || i, md5(i::text) || md5((i * 3)::text) || md5((i * 5)::text)
  FROM generate_series(1, 20000) i;
CREATE FUNCTION known(text) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT EXISTS (SELECT FROM public.a_codes WHERE code = $1)';
CREATE FUNCTION refuse_unknown(text) RETURNS text IMMUTABLE LANGUAGE plpgsql
  AS $$ BEGIN IF NOT public.known($1) THEN RAISE 'unknown'; END IF; RETURN $1; END $$;
CREATE FUNCTION both_known(text, text) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT public.known($1) AND $1 = $2';
CREATE FUNCTION sold(text, int) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT $2 > 0 AND public.known($1)';
CREATE OPERATOR ?> (LEFTARG = text, RIGHTARG = int, FUNCTION = sold);
CREATE TABLE b_operator (code text, CHECK (code ?> 1));
INSERT INTO b_operator SELECT 'c' || generate_series(1, 20);
CREATE DOMAIN d1 AS text CHECK (known(VALUE));
CREATE DOMAIN d2 AS d1;
CREATE DOMAIN d3 AS d2;
CREATE DOMAIN d4 AS d3;
CREATE DOMAIN d5 AS d4;
CREATE DOMAIN d6 AS d5;
CREATE TYPE one AS (codes d6[], n int);
CREATE TYPE two AS (first one);
CREATE TABLE b_domain (code d6);
INSERT INTO b_domain SELECT 'c' || generate_series(1, 20);
CREATE TABLE b_composite (pair two);
INSERT INTO b_composite SELECT row(row(array['c' || i], i)::one)::two FROM generate_series(1, 20) i;
CREATE VIEW as_view AS SELECT code, 1 AS n FROM b_domain;
CREATE TABLE b_rowtype (one as_view);
INSERT INTO b_rowtype SELECT row('c' || i, i)::as_view FROM generate_series(1, 20) i;
CREATE TYPE wrapped AS (t text);
CREATE FUNCTION wrap(text) RETURNS wrapped IMMUTABLE LANGUAGE sql
  AS 'SELECT row(public.refuse_unknown($1))::public.wrapped';
CREATE CAST (text AS wrapped) WITH FUNCTION wrap(text);
CREATE TABLE b_cast (code text CHECK ((code::wrapped) IS NOT NULL));
INSERT INTO b_cast SELECT 'c' || generate_series(1, 20);
CREATE FUNCTION eq(wrapped, wrapped) RETURNS bool IMMUTABLE LANGUAGE sql
  AS 'SELECT public.both_known($1.t, $2.t)';
CREATE OPERATOR =~ (LEFTARG = wrapped, RIGHTARG = wrapped, FUNCTION = eq);
CREATE TABLE b_generated (code text, same text GENERATED ALWAYS AS (refuse_unknown(code)) STORED);
INSERT INTO b_generated SELECT 'c' || generate_series(1, 20);
CREATE FUNCTION lt(wrapped, wrapped) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1.t < $2.t';
CREATE FUNCTION le(wrapped, wrapped) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1.t <= $2.t';
CREATE FUNCTION ge(wrapped, wrapped) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1.t >= $2.t';
CREATE FUNCTION gt(wrapped, wrapped) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT $1.t > $2.t';
CREATE FUNCTION cmp(wrapped, wrapped) RETURNS int IMMUTABLE LANGUAGE sql
  AS 'SELECT CASE WHEN public.refuse_unknown($1.t) < $2.t THEN -1 WHEN $1.t = $2.t THEN 0 ELSE 1 END';
CREATE OPERATOR <~ (LEFTARG = wrapped, RIGHTARG = wrapped, FUNCTION = lt);
CREATE OPERATOR <=~ (LEFTARG = wrapped, RIGHTARG = wrapped, FUNCTION = le);
CREATE OPERATOR >=~ (LEFTARG = wrapped, RIGHTARG = wrapped, FUNCTION = ge);
CREATE OPERATOR >~ (LEFTARG = wrapped, RIGHTARG = wrapped, FUNCTION = gt);
CREATE OPERATOR CLASS of_wrapped DEFAULT FOR TYPE wrapped USING btree AS
  OPERATOR 1 <~, OPERATOR 2 <=~, OPERATOR 3 =~, OPERATOR 4 >=~, OPERATOR 5 >~,
  FUNCTION 1 cmp(wrapped, wrapped);
CREATE TYPE span AS RANGE (SUBTYPE = wrapped, SUBTYPE_OPCLASS = of_wrapped);
CREATE TABLE b_range (of span);
INSERT INTO b_range SELECT span(row('c1')::wrapped, row('c2')::wrapped) FROM generate_series(1, 20);
CREATE TABLE a_parent (code text CHECK (known(code)));
CREATE TABLE b_child () INHERITS (a_parent);
INSERT INTO b_child SELECT 'c' || generate_series(1, 20);
CREATE FUNCTION shard(text) RETURNS int IMMUTABLE LANGUAGE sql
  AS 'SELECT length(public.refuse_unknown($1)) % 2';
CREATE TABLE b_shards (code text) PARTITION BY LIST (shard(code));
CREATE TABLE b_shard_0 PARTITION OF b_shards FOR VALUES IN (0);
CREATE TABLE b_shard_1 PARTITION OF b_shards FOR VALUES IN (1);
INSERT INTO b_shards SELECT 'c' || generate_series(1, 20);
CREATE TABLE b_large (code d6, filler text);
INSERT INTO b_large SELECT 'c' || i, repeat(md5(i::text), 600) FROM generate_series(1, 60) i;
ALTER TABLE b_large ALTER filler SET STORAGE external;

-- # refreshed
-- Materialized views that read others, which nothing says; a serial pg_restore goes by
-- name. Also an index that calls a function whose query needs another table's key.
CREATE TABLE sold (id int PRIMARY KEY, region int);
INSERT INTO sold SELECT i, i % 9 FROM generate_series(1, 40000) i;
CREATE MATERIALIZED VIEW figures AS SELECT region, count(*) AS n FROM sold GROUP BY region;
CREATE FUNCTION all_sold() RETURNS numeric LANGUAGE plpgsql STABLE
  AS $$ BEGIN RETURN (SELECT sum(n) FROM public.figures); END $$;
CREATE FUNCTION times(int, int) RETURNS numeric LANGUAGE plpgsql STABLE
  AS $$ BEGIN RETURN $1 * (SELECT sum(n) FROM public.figures); END $$;
CREATE FUNCTION add(numeric, int) RETURNS numeric LANGUAGE plpgsql STABLE
  AS $$ BEGIN RETURN $1 + (SELECT n FROM public.overview); END $$;
CREATE OPERATOR *| (LEFTARG = int, RIGHTARG = int, FUNCTION = times);
CREATE AGGREGATE added(int) (SFUNC = add, STYPE = numeric, INITCOND = '0');
CREATE MATERIALIZED VIEW overview AS SELECT all_sold() AS n;
CREATE VIEW through AS SELECT 2 *| 3 AS n;
CREATE VIEW through_it AS SELECT n FROM through;
CREATE MATERIALIZED VIEW viewed AS SELECT n FROM through_it;
CREATE MATERIALIZED VIEW summed AS SELECT added(id) FROM sold WHERE id < 9;
CREATE FUNCTION is_few(numeric) RETURNS bool LANGUAGE plpgsql STABLE
  AS $$ BEGIN RETURN $1 < (SELECT n FROM public.overview); END $$;
CREATE DOMAIN few AS numeric CHECK (is_few(VALUE));
CREATE MATERIALIZED VIEW within AS SELECT id::numeric::few FROM sold WHERE id < 9;
CREATE FUNCTION beyond(int) RETURNS numeric LANGUAGE plpgsql IMMUTABLE
  AS $$ BEGIN RETURN $1 + (SELECT sum(n) FROM public.figures); END $$;
CREATE MATERIALIZED VIEW indexed AS SELECT id FROM sold WHERE id < 99;
CREATE INDEX ON indexed (beyond(id));
CREATE TABLE regions (id int PRIMARY KEY, name text, filler text);
INSERT INTO regions SELECT i, 'region ' || i, repeat(md5(i::text), 30) FROM generate_series(0, 8) i;
CREATE FUNCTION name_of(int) RETURNS text LANGUAGE plpgsql IMMUTABLE
  AS $$ BEGIN RETURN (SELECT r.name || count(*) FROM public.regions r WHERE r.id = $1 GROUP BY r.id); END $$;
CREATE TABLE areas (id int);
INSERT INTO areas SELECT generate_series(0, 8);
CREATE INDEX ON areas (name_of(id));

-- # typed
-- Rows of a materialized view grouped by a key, in every kind that a type may be used by.
CREATE TABLE shops (id int PRIMARY KEY, town text);
INSERT INTO shops SELECT i, 'town ' || i FROM generate_series(1, 40) i;
CREATE MATERIALIZED VIEW sales AS SELECT s.id, s.town, count(*) AS n FROM shops s GROUP BY s.id;
CREATE FUNCTION f1(sales[]) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT cardinality($1)';
CREATE FUNCTION f2(OUT a sales, OUT b int) LANGUAGE sql STABLE AS 'SELECT s, 1 FROM public.sales s LIMIT 1';
CREATE FUNCTION f3() RETURNS TABLE (a sales) LANGUAGE sql STABLE AS 'SELECT s FROM public.sales s';
CREATE FUNCTION f4(VARIADIC sales[]) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
CREATE FUNCTION eq(sales, sales) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.id = $2.id';
CREATE FUNCTION lt(sales, sales) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1.id < $2.id';
CREATE FUNCTION cmp(sales, sales) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.id - $2.id';
CREATE OPERATOR === (LEFTARG = sales, RIGHTARG = sales, FUNCTION = eq, COMMUTATOR = ===);
CREATE OPERATOR <<< (LEFTARG = sales, RIGHTARG = sales, FUNCTION = lt);
CREATE OPERATOR CLASS by_id FOR TYPE sales USING btree AS OPERATOR 1 <<<, OPERATOR 3 ===, FUNCTION 1 cmp(sales, sales);
CREATE FUNCTION keep(sales, sales) RETURNS sales LANGUAGE sql IMMUTABLE AS 'SELECT $1';
CREATE AGGREGATE kept(sales) (SFUNC = keep, STYPE = sales);
CREATE FUNCTION as_int(sales) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1.id';
CREATE CAST (sales AS int) WITH FUNCTION as_int(sales);
CREATE TYPE sales_range AS RANGE (SUBTYPE = sales);
CREATE TYPE pair AS (a sales, b sales[]);
CREATE DOMAIN few AS sales[] CHECK (f1(VALUE) < 5);
CREATE FUNCTION of_pair(pair, few) RETURNS sales LANGUAGE sql IMMUTABLE AS 'SELECT $1.a';
CREATE VIEW v AS SELECT kept(s), s === s AS e, s::int AS i FROM sales s GROUP BY s;
CREATE MATERIALIZED VIEW m AS SELECT f1(ARRAY[s]), of_pair(row(s, ARRAY[s])::pair, ARRAY[s]::few) AS o FROM sales s;
CREATE INDEX ON m (f1);
CREATE MATERIALIZED VIEW a_m AS SELECT count(*) FROM m, f3();
CREATE INDEX ON sales (id);
CREATE INDEX ON sales USING btree ((sales.*) by_id);
COMMENT ON TYPE pair IS 'p'; COMMENT ON DOMAIN few IS 'f'; COMMENT ON OPERATOR <<< (sales, sales) IS 'o';
COMMENT ON MATERIALIZED VIEW sales IS 's'; COMMENT ON AGGREGATE kept(sales) IS 'k';
CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1; END $$;
CREATE EVENT TRIGGER seen ON ddl_command_end EXECUTE FUNCTION seen();

-- # calling
-- A function whose query is grouped by a key, called from wherever one may be called.
CREATE TABLE shops (id int PRIMARY KEY, town text);
INSERT INTO shops SELECT i, 'town ' || i FROM generate_series(1, 40) i;
CREATE FUNCTION town_of(int) RETURNS text LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT town || count(*) FROM shops WHERE id = $1 GROUP BY id; END;
CREATE DOMAIN shop AS int CHECK (town_of(VALUE) <> '');
CREATE DOMAIN shop2 AS shop DEFAULT 3;
CREATE TABLE uses (s shop, s2 shop2, filler text);
INSERT INTO uses SELECT i, i, repeat(md5(i::text), 850) FROM generate_series(1, 40) i;
ALTER TABLE uses ALTER filler SET STORAGE external;
CREATE TABLE part (id int, town text DEFAULT town_of(2), CHECK (town_of(id) <> '')) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part (CHECK (town_of(id) > 'a')) FOR VALUES FROM (0) TO (20);
CREATE TABLE part_2 PARTITION OF part (town DEFAULT town_of(5)) DEFAULT;
INSERT INTO part SELECT i FROM generate_series(1, 40) i;
ALTER TABLE part ADD UNIQUE (id);
CREATE INDEX ON part (town_of(id));
CREATE TABLE inh (x int) INHERITS (uses);
INSERT INTO inh SELECT i, i, 'x', i FROM generate_series(1, 40) i;
CREATE TABLE refs (id int REFERENCES part (id), CHECK (town_of(id) IS NOT NULL) NOT VALID);
INSERT INTO refs SELECT generate_series(1, 40);
CREATE TABLE excl (id int, EXCLUDE USING btree (town_of(id) WITH =));
INSERT INTO excl SELECT generate_series(1, 40);
CREATE FUNCTION greet(text DEFAULT town_of(7)) RETURNS text LANGUAGE sql AS 'SELECT $1';
CREATE VIEW v AS SELECT greet(), town_of(id) AS t FROM shops;
CREATE VIEW v2 AS SELECT t FROM v GROUP BY t;
CREATE FUNCTION back(v2) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.t';
ALTER VIEW v ALTER t SET DEFAULT town_of(9);
CREATE TRIGGER tr BEFORE UPDATE ON shops FOR EACH ROW WHEN (town_of(NEW.id) > '') EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE RULE ru AS ON INSERT TO refs WHERE town_of(NEW.id) = '' DO ALSO SELECT town_of(3);
CREATE POLICY po ON refs USING (town_of(id) > '') WITH CHECK (town_of(id) > 'a');

-- # examined
-- More of `judged`: partitions of partitions, arrays, exclusions, rows of rows.
CREATE EXTENSION btree_gist;
CREATE TABLE a_codes (code int PRIMARY KEY, filler text);
INSERT INTO a_codes SELECT i, md5(i::text) || md5((i * 3)::text) || md5((i*5)::text) FROM generate_series(1, 20000) i;
CREATE FUNCTION known(int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN EXISTS (SELECT FROM public.a_codes WHERE code = $1); END $$;
CREATE FUNCTION must(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN IF NOT public.known($1) THEN RAISE 'unknown %', $1; END IF; RETURN $1; END $$;
CREATE TABLE b_part (id int, code int CHECK (known(code)), filler text) PARTITION BY RANGE (id);
CREATE TABLE b_part_1 PARTITION OF b_part FOR VALUES FROM (0) TO (50);
CREATE TABLE b_part_2 PARTITION OF b_part DEFAULT;
INSERT INTO b_part SELECT i, i, repeat(md5(i::text) || md5(random()::text), 400) FROM generate_series(1, 99) i;
ALTER TABLE b_part ADD PRIMARY KEY (id);
CREATE TABLE b_excl (code int, span int4range, EXCLUDE USING gist (must(code) WITH =, span WITH &&) WHERE (known(code)));
INSERT INTO b_excl SELECT i, int4range(i, i + 1) FROM generate_series(1, 300) i;
CREATE TABLE b_fk (id int REFERENCES b_part, code int);
INSERT INTO b_fk SELECT i, i FROM generate_series(1, 99) i;
CREATE STATISTICS st ON (must(code)), id FROM b_fk;
CREATE DOMAIN ok AS int CHECK (known(VALUE));
CREATE TYPE pair AS (a ok, b int);
CREATE DOMAIN pairs AS pair[];
CREATE TABLE b_pairs (p pairs, q pair, r ok[]);
INSERT INTO b_pairs SELECT ARRAY[row(i, i)::pair], row(i, i)::pair, ARRAY[i] FROM generate_series(1, 40) i;
CREATE TABLE b_row (p b_pairs);
INSERT INTO b_row SELECT b FROM b_pairs b;
CREATE TABLE b_sub (x int CHECK (x > 0)) INHERITS (b_fk);
CREATE TABLE aa_early (code int CHECK (must(code) = code));
INSERT INTO aa_early SELECT generate_series(1, 40);
CREATE FUNCTION agg_step(bool, int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN $1 AND public.known($2); END $$;
CREATE FUNCTION all_known(int[]) RETURNS bool IMMUTABLE LANGUAGE sql AS 'SELECT bool_and(public.known(c)) FROM unnest($1) c';
CREATE TABLE b_multi (codes int[] CONSTRAINT "all known" CHECK (all_known(codes)));
INSERT INTO b_multi SELECT ARRAY[i, i + 1] FROM generate_series(1, 99) i;
CREATE FUNCTION hashed(int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.must($1) % 2; END $$;
CREATE TABLE b_shard (code int, n int) PARTITION BY LIST (n);
CREATE TABLE b_shard_0 PARTITION OF b_shard FOR VALUES IN (0) PARTITION BY LIST (hashed(code));
CREATE TABLE b_shard_0_0 PARTITION OF b_shard_0 FOR VALUES IN (0);
CREATE TABLE b_shard_0_1 PARTITION OF b_shard_0 FOR VALUES IN (1);
INSERT INTO b_shard SELECT i, 0 FROM generate_series(1, 99) i;
CREATE UNLOGGED TABLE b_unlogged (code ok);
INSERT INTO b_unlogged SELECT generate_series(1, 99);
CREATE FUNCTION "odd ""fn"""(int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN public.known($1); END $$;
CREATE TABLE b_odd (code int CHECK ("odd ""fn"""(code)));
INSERT INTO b_odd SELECT generate_series(1, 99);
