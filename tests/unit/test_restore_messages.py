"""What pg_restore 15 and 18 really printed, and what is made of it."""

from __future__ import annotations

import pytest

from dbpull.postgres.privacy import raised_by, without_values
from dbpull.postgres.restore_messages import RestoreMessage, RestoreMessages

# pg_restore 18 --verbose into a server 15.
TIMEOUT = """\
pg_restore: connecting to database for restore
pg_restore: executing SELECT pg_catalog.set_config('search_path', '', false);
pg_restore: while INITIALIZING:
pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter "transaction_timeout"
Command was: SET transaction_timeout = 0;
pg_restore: creating SCHEMA "app"
"""  # noqa: E501
# The same from a server that speaks German.
GERMAN = """\
pg_restore: while INITIALIZING:
pg_restore: error: could not execute query: FEHLER:  unbekannter Konfigurationsparameter »transaction_timeout«
Command was: SET transaction_timeout = 0;
"""  # noqa: E501
# 15 and 18, serial: a bad row, then two failures of post-data.
SERIAL = """\
pg_restore: processing data for table "public.Kä se"
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 3388; 0 16626 TABLE DATA Kä se postgres
pg_restore: error: COPY failed for table "Kä se": ERROR:  new row for relation "Kä se" violates check constraint "Kä se_id_check"
DETAIL:  Failing row contains (2, b).
CONTEXT:  COPY Kä se, line 2: "2	b"
pg_restore: processing data for table "public.a"
pg_restore: creating INDEX "public.only_once"
pg_restore: from TOC entry 3242; 1259 16635 INDEX only_once postgres
pg_restore: error: could not execute query: ERROR:  could not create unique index "only_once"
DETAIL:  Key (public.key(id))=(0) is duplicated.
Command was: CREATE UNIQUE INDEX only_once ON public.t USING btree (public.key(id));


pg_restore: creating FK CONSTRAINT "public.b b_a_fkey"
pg_restore: from TOC entry 3245; 2606 16420 FK CONSTRAINT b b_a_fkey postgres
pg_restore: error: could not execute query: ERROR:  insert or update on table "b" violates foreign key constraint "b_a_fkey"
DETAIL:  Key (a)=(7) is not present in table "a".
Command was: ALTER TABLE ONLY public.b
    ADD CONSTRAINT b_a_fkey FOREIGN KEY (a) REFERENCES public.a(id);


pg_restore: warning: errors ignored on restore: 3
"""  # noqa: E501
# 15, two workers: the message about a row comes after others have begun.
PARALLEL = """\
pg_restore: launching item 3388 TABLE DATA Kä se
pg_restore: launching item 3389 TABLE DATA t
pg_restore: processing data for table "public.t"
pg_restore: finished item 3389 TABLE DATA t
pg_restore: launching item 3242 INDEX only_once
pg_restore: creating INDEX "public.only_once"
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 3242; 1259 16635 INDEX only_once postgres
pg_restore: error: could not execute query: ERROR:  could not create unique index "only_once"
DETAIL:  Key (public.key(id))=(0) is duplicated.
Command was: CREATE UNIQUE INDEX only_once ON public.t USING btree (public.key(id));


pg_restore: finished item 3242 INDEX only_once
pg_restore: creating CONSTRAINT "public.a a_pkey"
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 3388; 0 16626 TABLE DATA Kä se postgres
pg_restore: error: COPY failed for table "Kä se": ERROR:  new row for relation "Kä se" violates check constraint "Kä se_id_check"
DETAIL:  Failing row contains (2, b).
CONTEXT:  COPY Kä se, line 2: "2	b"
pg_restore: finished item 3388 TABLE DATA Kä se
"""  # noqa: E501
# 18, by a role that is no superuser.
DENIED = """\
pg_restore: creating EXTENSION "pageinspect"
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 2; 3079 16705 EXTENSION pageinspect (no owner)
pg_restore: error: could not execute query: ERROR:  permission denied to create extension "pageinspect"
HINT:  Must be superuser to create this extension.
Command was: CREATE EXTENSION IF NOT EXISTS pageinspect WITH SCHEMA public;


pg_restore: creating COMMENT "EXTENSION pageinspect"
pg_restore: from TOC entry 2624; 0 0 COMMENT EXTENSION pageinspect 
pg_restore: error: could not execute query: ERROR:  extension "pageinspect" does not exist
Command was: COMMENT ON EXTENSION pageinspect IS 'inspect pages';
"""  # noqa: E501, W291


def heard(stderr: str) -> RestoreMessages:
    messages = RestoreMessages()
    for line in stderr.splitlines():
        messages.feed(line)
    messages.close()
    return messages


def entries(stderr: str) -> list[str]:
    return [message.entry for message in heard(stderr).all]


@pytest.mark.parametrize("stderr", [TIMEOUT, GERMAN])
def test_a_setting_that_an_older_server_does_not_know_is_harmless(stderr: str) -> None:
    messages = heard(stderr)

    assert messages.fatal is None
    assert [message.harmless for message in messages.all] == ["transaction_timeout"]


def test_each_message_is_told_with_its_entry_and_place() -> None:
    row, index, key = heard(SERIAL).all

    assert row.entry == "TABLE DATA Kä se"
    assert row.error.startswith('COPY failed for table "Kä se": ERROR:  new row')
    assert row.context == "COPY Kä se, line 2"
    assert index.entry == "INDEX only_once"
    assert index.context == ""
    assert key.entry == "FK CONSTRAINT b b_a_fkey"
    assert not any(message.harmless for message in (row, index, key))


def test_workers_messages_are_told_apart() -> None:
    assert entries(PARALLEL) == ["INDEX only_once", "TABLE DATA Kä se"]


def test_a_denied_permission_is_told_with_its_object() -> None:
    assert entries(DENIED) == ["EXTENSION pageinspect", "COMMENT EXTENSION pageinspect"]


def test_the_first_that_matters_is_fatal_as_soon_as_it_was_read_to_its_end() -> None:
    messages = RestoreMessages()
    for line in TIMEOUT.splitlines():
        messages.feed(line)
    fatal_at: list[str] = []

    for line in SERIAL.splitlines():
        messages.feed(line)
        if messages.fatal:
            fatal_at.append(line)

    assert fatal_at[0] == 'pg_restore: processing data for table "public.a"'
    assert messages.fatal is messages.all[1]


def test_a_message_at_the_very_end_is_fatal_once_nothing_more_comes() -> None:
    messages = RestoreMessages()
    messages.feed("pg_restore: error: could not read from input file: end of file")

    assert messages.fatal is None
    messages.close()
    assert messages.fatal == RestoreMessage(
        "", "could not read from input file: end of file"
    )


def test_a_table_named_like_the_setting_is_not_harmless() -> None:
    told = """\
pg_restore: error: could not execute query: ERROR:  relation "transaction_timeout" already exists
Command was: CREATE TABLE public.transaction_timeout ();
"""  # noqa: E501
    assert heard(told).fatal


@pytest.mark.parametrize(
    ("mixed", "lines"),
    [
        # Two workers' prefixes came before the rest of either.
        (
            "pg_restore: pg_restore: error: finished item 5 INDEX x\n"
            "could not execute query: ERROR:  deadlock detected",
            1,
        ),
        (
            "pg_restore: pg_restore: error: could not execute query: ERROR:  deadlock\n"
            "finished item 5 INDEX x",
            1,
        ),
        (
            "pg_restore: error: pg_restore: error: COPY failed for table a: ERROR:  x\n"
            "COPY failed for table b: ERROR:  y",
            1,
        ),
        ("error: could not execute query: ERROR:  deadlock detected", 1),
        (
            "pg_restore: finished item 5 INDEX x\n"
            "could not execute query: ERROR:  deadlock detected",
            1,
        ),
        # A harmless one mixed with one that matters.
        (
            "pg_restore: error: pg_restore: error: could not execute query: ERROR:"
            '  unrecognized configuration parameter "transaction_timeout"\n'
            "Command was: SET transaction_timeout = 0;\n"
            "COPY failed for table b: ERROR:  y",
            1,
        ),
    ],
)
def test_no_error_is_lost_where_workers_lines_are_mixed(mixed: str, lines: int) -> None:
    messages = heard(mixed)

    assert messages.fatal
    assert len(messages.all) == lines


def test_two_harmless_ones_mixed_are_still_harmless() -> None:
    one = (
        'could not execute query: ERROR:  unknown parameter "transaction_timeout"\n'
        "Command was: SET transaction_timeout = 0;\n"
    )

    assert heard(f"pg_restore: pg_restore: error: error: {one}{one}").fatal is None


@pytest.mark.parametrize("blank", ["", " ", "pg_restore:pg_restore:  "])
def test_the_item_is_known_where_workers_lines_are_mixed(blank: str) -> None:
    """Its own prefix had gone to another's line."""
    mixed = (
        "pg_restore: finished item 5 INDEX x\n"
        f"{blank}from TOC entry 7; 0 16626 TABLE DATA Kä se postgres\n"
        'pg_restore: error: COPY failed for table "Kä se": ERROR:  too long\n'
    )

    assert entries(mixed) == ["TABLE DATA Kä se"]


def test_an_exception_of_the_apps_own_is_known_by_its_context() -> None:
    (message,) = heard(
        'pg_restore: error: COPY failed for table "t": ERROR:  bad ada@example.com\n'
        "CONTEXT:  PL/pgSQL function public.valid(text) line 2 at RAISE\n"
        'COPY t, line 1: "ada@example.com"\n'
    ).all

    assert message.raised_by == "public.valid(text)"
    assert message.context == "COPY t, line 1"


def test_a_value_of_several_lines_is_no_error_of_its_own() -> None:
    """A row may hold what a program once printed."""
    (message,) = heard(
        "pg_restore: error: could not execute query: ERROR:  invalid input syntax for"
        ' type integer: "a log\n'
        "pg_restore: it said\n"
        "ERROR:  ada@example.com is unknown\n"
        '"\n'
    ).all

    assert "ada" not in message.error


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'invalid input syntax for type integer: "Ada"',
            "invalid input syntax for type integer: …",
        ),
        ('a value that goes on: "Ada Lovelace', "a value that goes on: …"),
        (
            'value "a "b" c" is out of range for type integer',
            "value … is out of range for type integer",
        ),
        ('time zone "Ada" not recognized', "time zone … not recognized"),
        # What was taken for a name by SQL that a function made of a row.
        ('relation "ada@example.com" does not exist', "relation … does not exist"),
        (f'schema "{"Ada " * 20}" does not exist', "schema … does not exist"),
        # Other languages, with their own quotes and colons, from src/backend/po.
        ("Syntax für Typ integer: »Ada«", "Syntax für Typ integer: …"),
        ("Wert »Ada« ist außerhalb", "Wert … ist außerhalb"),
        ("pour le type integer : « Ada »", "pour le type integer : …"),
        ("la valeur « Ada » est en dehors", "la valeur … est en dehors"),
        ("no es válida para tipo integer: «Ada»", "no es válida para tipo integer: …"),
        (
            'sintassi non valida per il tipo integer: "Ada"',
            "sintassi non valida per il tipo integer: …",
        ),
        ('valore "Ada" fuori dall\'intervallo', "valore … fuori dall'intervallo"),
        ('значение "Ada" вне диапазона', "значение … вне диапазона"),
        ('値"Ada"は型integerの範囲外です', "値…は型integerの範囲外です"),
        ("型integerの入力「Ada」", "型integerの入力…"),
        ("类型integer的值“Ada”无效", "类型integer的值…无效"),
        ("无效的类型 integer 输入语法\uff1aAda", "无效的类型 integer 输入语法\uff1a…"),
        ("hodnota „Ada“ je mimo rozsah", "hodnota … je mimo rozsah"),
        ("giá trị “Ada” vượt quá", "giá trị … vượt quá"),
        ("Wert \ufffdAda\ufffd ist falsch", "Wert … ist falsch"),
        ("12.5 დიაპაზონს გარეთაა", "… დიაპაზონს გარეთაა"),
    ],
)
def test_what_a_server_quotes_of_rows_is_not_told(text: str, told: str) -> None:
    assert without_values(text) == told


@pytest.mark.parametrize(
    "text",
    [
        'new row for relation "t" violates check constraint "c"',
        'column "Länge" of relation "Straße" does not exist',
        'role "app" does not exist',
        'invalid value for parameter "default_tablespace": "quick"',
        'operator class "x" does not exist for access method "btree"',
        '"t" is not a table',
        'syntax error at or near "NULLS"',
        'could not access file "$libdir/postgis-3": No such file or directory',
        'invalid locale name: "de_DE.UTF-8"',
    ],
)
def test_names_of_objects_are_told(text: str) -> None:
    assert without_values(text) == text


@pytest.mark.parametrize(
    "line",
    [
        "PL/pgSQL function public.valid(text) line 2 at RAISE",
        "PL/pgSQL-Funktion valid(text) Zeile 2 bei RAISE",
        "fonction PL/pgSQL valid(text), ligne 2 à RAISE",
        "PL/pgSQL関数valid(text)の2行目 - RAISE",
        "在RAISE的第2行的PL/pgSQL函数valid(text)",
        "PL/pgSQL function valid(text) line 2 at ASSERT",
        "PL/pgSQL function valid(text) line 2 at EXECUTE",
        "PL/pgSQL-Funktion valid(text) Zeile 2 bei FOR über EXECUTE-Anweisung",
        'PL/Python function "valid"',
        "PL/Perl-Funktion »valid«",
    ],
)
def test_an_exception_is_known_in_other_languages(line: str) -> None:
    assert raised_by(["DETAIL:  x", line])
    assert not raised_by(["PL/pgSQL function raise_it(text) line 2 at assignment"])


@pytest.mark.parametrize(
    ("line", "context"),
    [
        ("COPY kä se, Zeile 7, Spalte mail: »Ada, Zeile 8«", "COPY kä se, line 7"),
        ('COPY t, строка 7, столбец mail: "Ada"', "COPY t, line 7"),
        ("COPY t, ligne 7 : « Ada »", "COPY t, line 7"),
        ('tのCOPY、行 7、列 mail: "Ada"', ""),
    ],
)
def test_the_place_is_known_in_other_languages(line: str, context: str) -> None:
    (message,) = heard(
        f"pg_restore: error: COPY failed for table t: ERROR:  x\nCONTEXT:  {line}"
    ).all

    assert message.context == context


@pytest.mark.parametrize(
    "other",
    [
        "while PROCESSING TOC:",
        "from TOC entry 7; 1259 16390 TABLE b postgres",
        'creating FK CONSTRAINT "public.b b_a_fkey"',
        'processing data for table "public.b"',
        "launching item 5 INDEX x",
        "finished item 5 INDEX x",
        "entering main parallel loop",
    ],
)
def test_what_another_worker_says_behind_an_errors_prefix_is_no_error(
    other: str,
) -> None:
    """A server of 15, a pg_restore of 18, 5 workers: now and then."""
    setting = 'ERROR:  unrecognized configuration parameter "transaction_timeout"'
    mixed = (
        f"pg_restore: pg_restore: error: {other}",
        "pg_restore: from TOC entry 7; 1259 16390 TABLE b postgres",
        f"could not execute query: {setting}",
        "Command was: SET transaction_timeout = 0;",
    )
    messages = RestoreMessages()
    for line in mixed:
        messages.feed(line)
    messages.close()

    assert [one.harmless for one in messages.all] == ["transaction_timeout"]
    assert messages.fatal is None


def test_an_error_whose_text_is_not_known_is_not_lost() -> None:
    harmless = TIMEOUT.splitlines()
    mixed = ["pg_restore: error: finished item 5 INDEX x", "pg_restore: no idea"]

    messages = heard("\n".join([*harmless, *mixed]))

    assert [bool(one.harmless) for one in messages.all] == [True, False]
    assert messages.fatal
    assert "could not be read" in messages.fatal.error


def test_an_error_is_heard_whose_prefix_is_in_anothers_line() -> None:
    messages = RestoreMessages()
    for line in (
        "pg_restore: error: pg_restore: while PROCESSING TOC:",
        "pg_restore: could not execute query: ERROR:  no such thing",
    ):
        messages.feed(line)
    messages.close()

    assert messages.fatal
    assert messages.fatal.error.endswith("no such thing")


def test_progress_is_heard_where_workers_lines_are_mixed() -> None:
    messages = RestoreMessages()
    mixed = ["pg_restore:pg_restore:  finished item 5 INDEX x", " launching item 6 y"]

    assert [messages.feed(line) for line in mixed] == [
        "finished item 5 INDEX x",
        "launching item 6 y",
    ]


def test_progress_is_what_is_no_message() -> None:
    messages = RestoreMessages()

    told = [messages.feed(line) for line in (TIMEOUT + SERIAL).splitlines()]

    assert [text for text in told if text] == [
        "connecting to database for restore",
        "executing SELECT pg_catalog.set_config('search_path', '', false);",
        'creating SCHEMA "app"',
        'processing data for table "public.Kä se"',
        'processing data for table "public.a"',
        'creating INDEX "public.only_once"',
        'creating FK CONSTRAINT "public.b b_a_fkey"',
    ]


# 18, with a login trigger that warns, of a role that may not leave it out.
@pytest.mark.parametrize(
    "notice",
    [
        "WARNING:  ERROR:  not really",
        "WARNING:  two lines\nERROR:  of one warning",
        "NOTICE:  FATAL: PANIC:",
        "WARNUNG:  COPY failed for table",
    ],
)
def test_what_a_notice_says_is_no_message(notice: str) -> None:
    heard = RestoreMessages()
    for line in f"{notice}\n{TIMEOUT}{notice}".splitlines():
        heard.feed(line)
    heard.close()

    assert [message.harmless for message in heard.all] == ["transaction_timeout"]
